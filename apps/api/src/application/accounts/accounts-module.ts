import { Global, Module } from '@nestjs/common';
import type { Sql } from 'postgres';
import { CONFIG } from '../../composition/process-module.js';
import type { Config } from '../../config.js';
import { SQL } from '../../storage/tokens.js';
import { Credentials } from '../../storage/vault/credentials.js';
import { Names } from '../../storage/vault/names.js';
import { SetupLock } from '../../storage/vault/setup-lock.js';
import { Users } from '../../write-side/entities.js';
import { accountCommandHandlers } from './account-commands.js';
import { accountQueryHandlers } from './account-queries.js';
import { FindCaretakerHandler } from './caretakers.js';
import { FirstAdministratorSetup } from './first-administrator-setup.js';
import { Standing } from './standing.js';

const providers = [
  ...accountCommandHandlers,
  ...accountQueryHandlers,
  Standing,
  FindCaretakerHandler,
  {
    provide: FirstAdministratorSetup,
    useFactory: (config: Config, sql: Sql, users: Users, names: Names, credentials: Credentials) =>
      new FirstAdministratorSetup(config, { lock: new SetupLock(sql), users, names, credentials }),
    inject: [CONFIG, SQL, Users, Names, Credentials],
  },
];

/** Accounts, and identifying callers by their credentials. */
@Global()
@Module({ providers, exports: providers })
export class AccountsModule {}
