import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, type Rejection, reject, type SessionEndCause } from '@verbatim/domain';
import { Sessions, type Which } from '../../storage/vault/sessions.js';
import { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';

/** How many sessions were ended. */
export interface Ended {
  readonly sessions: number;
}

/** Ends sessions of a person for good, on every replica. Those whose end was told already are none of them. */
export class RevokeSessionsCommand extends Command<Ended | Rejection> {
  constructor(
    readonly userId: string,
    readonly which: Which,
    readonly actor: Actor | null,
    readonly cause: SessionEndCause,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(RevokeSessionsCommand)
export class RevokeSessionsHandler implements ICommandHandler<RevokeSessionsCommand> {
  constructor(
    private readonly users: Users,
    private readonly sessions: Sessions,
  ) {}

  async execute({ userId, which, actor, cause, context }: RevokeSessionsCommand): Promise<Ended | Rejection> {
    for (let ended = 0; ; ) {
      const sessionIds = await this.sessions.revoke(userId, which);
      if (sessionIds.length === 0) return { sessions: ended };
      const told = await this.users.send(userId, { type: 'RevokeSessions', actor, sessionIds, cause }, context);
      if (isRejection(told)) return told;
      await this.sessions.told(sessionIds);
      ended += sessionIds.length;
    }
  }
}

/** The sessions that are past their end are ended, so that what they hold open is closed. */
export async function endExpiredSessions(
  sessions: Sessions,
  end: RevokeSessionsHandler,
  context: () => Context,
): Promise<void> {
  for (const { userId, sessionId } of await sessions.expired()) {
    await end.execute(new RevokeSessionsCommand(userId, { only: sessionId }, null, 'expired', context()));
  }
}

export const noSuchSession = reject('NotFound', 'There is no such session, or it has ended.');

export const sessionCommandHandlers = [RevokeSessionsHandler];
