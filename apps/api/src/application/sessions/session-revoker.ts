import { Injectable } from '@nestjs/common';
import { type Actor, isRejection, type Rejection, type SessionEndCause } from '@verbatim/domain';
import { Sessions, type Which } from '../../storage/vault/sessions.js';
import { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';

/** How many sessions were ended. */
export interface Ended {
  readonly sessions: number;
}

/** Ends sessions for good, on every replica. */
@Injectable()
export class SessionRevoker {
  constructor(
    private readonly users: Users,
    private readonly sessions: Sessions,
  ) {}

  /** Sessions whose end was already recorded are not counted. */
  async revoke(
    userId: string,
    which: Which,
    actor: Actor | null,
    cause: SessionEndCause,
    context: Context,
  ): Promise<Ended | Rejection> {
    for (let ended = 0; ; ) {
      const sessionIds = await this.sessions.revoke(userId, which);
      if (sessionIds.length === 0) return { sessions: ended };
      const revoked = await this.users.send(userId, { type: 'RevokeSessions', actor, sessionIds, cause }, context);
      if (isRejection(revoked)) return revoked;
      await this.sessions.markRecorded(sessionIds);
      ended += sessionIds.length;
    }
  }

  /** Ends expired sessions, so that their open connections are closed. */
  async revokeExpired(context: () => Context): Promise<void> {
    for (const { userId, sessionId } of await this.sessions.expired())
      await this.revoke(userId, { only: sessionId }, null, 'expired', context());
  }
}
