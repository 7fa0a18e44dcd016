import { Global, Module } from '@nestjs/common';
import { Sweep } from '../../composition/contributions.js';
import { CONFIG } from '../../composition/process-module.js';
import type { Config } from '../../config.js';
import { newId } from '../../new-id.js';
import { Attempts } from '../../storage/limits/attempts.js';
import { Credentials } from '../../storage/vault/credentials.js';
import { SecondFactors } from '../../storage/vault/second-factors.js';
import { Sessions } from '../../storage/vault/sessions.js';
import { Users } from '../../write-side/entities.js';
import { passwordCommandHandlers } from './password-commands.js';
import { Proving } from './proving.js';
import { secondFactorCommandHandlers } from './second-factor-commands.js';
import { SecondFactorPolicy } from './second-factor-policy.js';
import { endExpiredSessions, RevokeSessionsHandler, sessionCommandHandlers } from './session-commands.js';

const providers = [
  ...sessionCommandHandlers,
  ...passwordCommandHandlers,
  ...secondFactorCommandHandlers,
  {
    provide: SecondFactorPolicy,
    useFactory: ({ REQUIRE_MFA }: Config) => new SecondFactorPolicy(REQUIRE_MFA),
    inject: [CONFIG],
  },
  {
    provide: Proving,
    useFactory: (...parts: ConstructorParameters<typeof Proving>) => new Proving(...parts),
    inject: [Users, Credentials, SecondFactors, Sessions, Attempts],
  },
  {
    provide: Symbol('sweep of sessions'),
    useFactory: (sessions: Sessions, revoke: RevokeSessionsHandler) =>
      new Sweep('sessions', async () => {
        await endExpiredSessions(sessions, revoke, () => ({ correlation: newId() }));
        await sessions.sweep();
      }),
    inject: [Sessions, RevokeSessionsHandler],
  },
];

/** Signing in and out, passwords, second factors. */
@Global()
@Module({ providers, exports: providers })
export class SessionsModule {}
