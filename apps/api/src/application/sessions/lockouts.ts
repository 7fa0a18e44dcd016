import { nameKey } from '@verbatim/domain';
import type { Logger } from 'pino';
import type { Names } from '../../storage/vault/names.js';
import type { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';

/** Records in an account's events that it was locked out after too many failed sign-ins. */
export class Lockouts {
  constructor(
    private readonly names: Names,
    private readonly users: Users,
    private readonly log: Pick<Logger, 'error'>,
  ) {}

  /** Records a lockout of this username, if there is such an account. It is not awaited, so errors are only logged. */
  async record(username: string, context: Context): Promise<void> {
    try {
      const userId = await this.names.ownerOf('user', nameKey(username));
      if (userId) await this.users.send(userId, { type: 'LockOutSignIn', actor: null }, context);
    } catch (error) {
      this.log.error({ err: error }, 'a lockout was not recorded');
    }
  }
}
