import { Global, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { Sweep } from '../../composition/contributions.js';
import { CONFIG } from '../../composition/process-module.js';
import type { Config } from '../../config.js';
import { SECOND_FACTOR_RULE } from '../../live/subscribers.js';
import { newId } from '../../new-id.js';
import { LOG } from '../../storage/tokens.js';
import { Names } from '../../storage/vault/names.js';
import { Sessions } from '../../storage/vault/sessions.js';
import { Users } from '../../write-side/entities.js';
import { authenticationHandlers } from './authentication.js';
import { Lockouts } from './lockouts.js';
import { passwordCommandHandlers } from './password-commands.js';
import { secondFactorCommandHandlers } from './second-factor-commands.js';
import { SecondFactorPolicy } from './second-factor-policy.js';
import { sessionCommandHandlers } from './session-commands.js';
import { sessionQueryHandlers } from './session-queries.js';
import { SessionRevoker } from './session-revoker.js';
import { signInCommandHandlers } from './sign-in.js';

const providers = [
  ...authenticationHandlers,
  ...signInCommandHandlers,
  ...sessionCommandHandlers,
  ...sessionQueryHandlers,
  ...passwordCommandHandlers,
  ...secondFactorCommandHandlers,
  {
    provide: SecondFactorPolicy,
    useFactory: ({ REQUIRE_MFA }: Config) => new SecondFactorPolicy(REQUIRE_MFA),
    inject: [CONFIG],
  },
  { provide: SECOND_FACTOR_RULE, useExisting: SecondFactorPolicy },
  {
    provide: Lockouts,
    useFactory: (names: Names, users: Users, log: Logger) => new Lockouts(names, users, log),
    inject: [Names, Users, LOG],
  },
  {
    provide: Symbol('sweep of sessions'),
    useFactory: (sessions: Sessions, revoker: SessionRevoker) =>
      new Sweep('sessions', async () => {
        await revoker.revokeExpired(() => ({ correlation: newId() }));
        await sessions.sweep();
      }),
    inject: [Sessions, SessionRevoker],
  },
];

/** Signing in and out, passwords, second factors. */
@Global()
@Module({ providers, exports: providers })
export class SessionsModule {}
