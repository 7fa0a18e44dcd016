import { Global, Module } from '@nestjs/common';
import type { KeyRing } from '@verbatim/event-store';
import type { Logger } from 'pino';
import { Time } from '../../clock.js';
import { CONFIG } from '../../composition/process-module.js';
import type { Config } from '../../config.js';
import { KEY_RING, LOG } from '../../storage/tokens.js';
import { IdentityProvider } from './identity-provider.js';
import { signOnCommandHandlers } from './sign-on-commands.js';

const providers = [
  ...signOnCommandHandlers,
  {
    provide: IdentityProvider,
    useFactory: (config: Config, keys: KeyRing, time: Time, log: Logger) =>
      new IdentityProvider(config, keys, time.now, log),
    inject: [CONFIG, KEY_RING, Time, LOG],
  },
];

/** Signing in with the account of an identity provider. */
@Global()
@Module({ providers, exports: providers })
export class SingleSignOnModule {}
