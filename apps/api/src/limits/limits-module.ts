import { Global, Module, type Provider } from '@nestjs/common';
import { CONFIG } from '../composition/process-module.js';
import type { Config } from '../config.js';
import type { Ledger } from './allowance.js';
import { type LimitSettings, noLimits } from './limit-settings.js';
import { Limits } from './limits.js';
import { Reads } from './reads.js';
import { LEDGER, LIMITS_IN_FORCE } from './tokens.js';

const providers: Provider[] = [
  {
    provide: LIMITS_IN_FORCE,
    useFactory: (config: Config): LimitSettings => (config.RATE_LIMITS === 'on' ? config : noLimits),
    inject: [CONFIG],
  },
  {
    provide: Limits,
    useFactory: (settings: LimitSettings, ledger: Ledger) => new Limits(settings, ledger),
    inject: [LIMITS_IN_FORCE, LEDGER],
  },
  { provide: Reads, useFactory: (limits: Limits) => new Reads(limits), inject: [Limits] },
];

/** How much each person, address and connection may do. */
@Global()
@Module({ providers, exports: providers })
export class LimitsModule {}
