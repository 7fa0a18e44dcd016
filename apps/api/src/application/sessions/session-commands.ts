import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, type Rejection, reject, type SessionEndCause } from '@verbatim/domain';
import { Sessions, TICKET_SECONDS, type Which } from '../../storage/vault/sessions.js';
import { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';
import type { Identity } from './authentication.js';
import { type Proof, Proving } from './proving.js';
import { type Ended, SessionRevoker } from './session-revoker.js';
import { SessionStarter, type SignedIn } from './session-starter.js';
import { unknownUser } from './unknown-user.js';

/** Renews a session. Reusing a refresh token ends the session: one of its two users is a thief. */
export class RenewSessionCommand extends Command<SignedIn | Rejection> {
  constructor(
    readonly refreshToken: string,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(RenewSessionCommand)
export class RenewSessionHandler implements ICommandHandler<RenewSessionCommand> {
  constructor(
    private readonly users: Users,
    private readonly sessions: Sessions,
    private readonly starter: SessionStarter,
    private readonly revoker: SessionRevoker,
  ) {}

  async execute({ refreshToken, context }: RenewSessionCommand): Promise<SignedIn | Rejection> {
    const rotation = await this.sessions.rotate(refreshToken);
    if (rotation.outcome === 'unknown') return spent;
    if (rotation.outcome === 'reused') {
      await this.revoker.revoke(rotation.userId, { only: rotation.sessionId }, null, 'reuse', context);
      return spent;
    }
    const { state, position } = await this.users.current(rotation.userId);
    if (state.status !== 'active') return spent;
    return { ...(await this.starter.tokensFor(rotation, rotation.refreshToken)), state, position };
  }
}

const spent = reject('Unauthenticated', 'The refresh token is no longer valid. Sign in again.');

/** Signs the caller out of the session they use. */
export class SignOutCommand extends Command<Ended | Rejection> {
  constructor(
    readonly identity: Identity,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(SignOutCommand)
export class SignOutHandler implements ICommandHandler<SignOutCommand> {
  constructor(private readonly revoker: SessionRevoker) {}

  execute({ identity: { actor, sessionId }, context }: SignOutCommand): Promise<Ended | Rejection> {
    return this.revoker.revoke(actor.id, { only: sessionId }, actor, 'logout', context);
  }
}

/** Ends sessions of a user for good, on every replica. Rejects with `NotFound` if the one requested has already ended. */
export class RevokeSessionsCommand extends Command<Ended | Rejection> {
  constructor(
    readonly userId: string,
    readonly which: Which,
    readonly actor: Actor,
    readonly context: Context,
  ) {
    super();
  }
}

const cause: SessionEndCause = 'revoked';

@CommandHandler(RevokeSessionsCommand)
export class RevokeSessionsHandler implements ICommandHandler<RevokeSessionsCommand> {
  constructor(
    private readonly users: Users,
    private readonly revoker: SessionRevoker,
  ) {}

  async execute({ userId, which, actor, context }: RevokeSessionsCommand): Promise<Ended | Rejection> {
    const unknown = which === 'all' ? unknownUser((await this.users.current(userId)).state) : null;
    if (unknown) return unknown;
    const ended = await this.revoker.revoke(userId, which, actor, cause, context);
    const missed = !isRejection(ended) && ended.sessions === 0 && which !== 'all' && 'only' in which;
    return missed ? reject('NotFound', 'There is no such session, or it has ended.') : ended;
  }
}

/** A ticket that opens one socket. */
export interface IssuedTicket {
  readonly ticket: string;
  /** Lifetime in seconds. */
  readonly expiresIn: number;
}

/** Issues a ticket for opening a socket, for clients that cannot send headers. */
export class IssueTicketCommand extends Command<IssuedTicket> {
  constructor(readonly identity: Identity) {
    super();
  }
}

@CommandHandler(IssueTicketCommand)
export class IssueTicketHandler implements ICommandHandler<IssueTicketCommand> {
  constructor(private readonly sessions: Sessions) {}

  async execute({ identity: { actor, sessionId, token } }: IssueTicketCommand): Promise<IssuedTicket> {
    const ticket = await this.sessions.issueTicket({ userId: actor.id, sessionId, tokenId: token?.id });
    return { ticket, expiresIn: TICKET_SECONDS };
  }
}

/** Proves the caller's identity again, so that sensitive commands are accepted for a while. */
export class StepUpCommand extends Command<object | Rejection> {
  constructor(
    readonly identity: Identity,
    readonly proof: Proof,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(StepUpCommand)
export class StepUpHandler implements ICommandHandler<StepUpCommand> {
  constructor(
    private readonly proving: Proving,
    private readonly sessions: Sessions,
  ) {}

  async execute({ identity: { actor, sessionId }, proof, context }: StepUpCommand): Promise<object | Rejection> {
    const wrong = await this.proving.check(actor.id, proof, context);
    if (wrong) return wrong;
    await this.sessions.noteProof(sessionId);
    return {};
  }
}

export const sessionCommandHandlers = [
  Proving,
  SessionStarter,
  SessionRevoker,
  RenewSessionHandler,
  SignOutHandler,
  RevokeSessionsHandler,
  IssueTicketHandler,
  StepUpHandler,
];
