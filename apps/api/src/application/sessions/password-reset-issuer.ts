import { Injectable } from '@nestjs/common';
import { type Actor, isRejection, type Rejection } from '@verbatim/domain';
import { Credentials, RESET_SECONDS } from '../../storage/vault/credentials.js';
import { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';

/** A token for choosing a password. */
export interface IssuedReset {
  readonly token: string;
  /** Lifetime in seconds. */
  readonly expiresIn: number;
}

/** Issues password reset tokens, each with its event. */
@Injectable()
export class PasswordResetIssuer {
  constructor(
    private readonly users: Users,
    private readonly credentials: Credentials,
  ) {}

  async issue(userId: string, actor: Actor, context: Context): Promise<IssuedReset | Rejection> {
    const issued = await this.users.send(userId, { type: 'IssuePasswordReset', actor }, context);
    if (isRejection(issued)) return issued;
    return { token: await this.credentials.issueReset(userId, issued.revision), expiresIn: RESET_SECONDS };
  }
}
