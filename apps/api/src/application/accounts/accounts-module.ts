import { Global, Module } from '@nestjs/common';
import type { Sql } from 'postgres';
import { Time } from '../../clock.js';
import { CONFIG } from '../../composition/process-module.js';
import type { Config } from '../../config.js';
import { SQL } from '../../storage/tokens.js';
import { AccessTokens } from '../../storage/vault/access-tokens.js';
import { Names } from '../../storage/vault/names.js';
import { PersonalTokens } from '../../storage/vault/personal-tokens.js';
import { Sessions } from '../../storage/vault/sessions.js';
import { Users } from '../../write-side/entities.js';
import { SecondFactorPolicy } from '../sessions/second-factor-policy.js';
import { accountCommandHandlers } from './account-commands.js';
import { accountQueryHandlers } from './account-queries.js';
import { Authentication } from './authentication.js';
import { FirstAdministratorSetup } from './first-administrator-setup.js';
import { Registration } from './registration.js';
import { Standing } from './standing.js';

const providers = [
  ...accountCommandHandlers,
  ...accountQueryHandlers,
  Standing,
  {
    provide: Registration,
    useFactory: ({ REGISTRATION }: Config) => new Registration(REGISTRATION),
    inject: [CONFIG],
  },
  {
    provide: FirstAdministratorSetup,
    useFactory: (config: Config, sql: Sql, users: Users, names: Names) =>
      new FirstAdministratorSetup(config, { sql, users, names }),
    inject: [CONFIG, SQL, Users, Names],
  },
  {
    provide: Authentication,
    useFactory: (
      tokens: AccessTokens,
      sessions: Sessions,
      personalTokens: PersonalTokens,
      users: Users,
      policy: SecondFactorPolicy,
      time: Time,
    ) => new Authentication(tokens, sessions, personalTokens, users, policy, time.now),
    inject: [AccessTokens, Sessions, PersonalTokens, Users, SecondFactorPolicy, Time],
  },
];

/** Accounts, and who is behind a credential. */
@Global()
@Module({ providers, exports: providers })
export class AccountsModule {}
