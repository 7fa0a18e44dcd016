import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, type Rejection, reject } from '@verbatim/domain';
import { type NewTotp, SecondFactors } from '../../storage/vault/second-factors.js';
import { Sessions } from '../../storage/vault/sessions.js';
import { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';
import type { Identity } from './authentication.js';
import { type Proof, Proving } from './proving.js';
import { SessionRevoker } from './session-revoker.js';
import { unknownUser } from './unknown-user.js';

/** New recovery codes, shown only once. */
export interface FreshCodes {
  readonly recoveryCodes: string[];
}

/** Creates a secret for the caller's authenticator; nothing changes until it is confirmed. Requires a recent proof of identity. */
export class BeginTotpCommand extends Command<NewTotp | Rejection> {
  constructor(readonly identity: Identity) {
    super();
  }
}

/** Enables the second factor once a first code shows that the authenticator has the secret. Ends the other sessions. */
export class EnableTotpCommand extends Command<FreshCodes | Rejection> {
  constructor(
    readonly identity: Identity,
    readonly code: string,
    readonly context: Context,
  ) {
    super();
  }
}

/** Disables the caller's second factor. */
export class DisableTotpCommand extends Command<object | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly proof: Proof,
    readonly context: Context,
  ) {
    super();
  }
}

/** Disables someone else's second factor, by an administrator. Requires a recent proof of identity. */
export class DisableTotpOfUserCommand extends Command<object | Rejection> {
  constructor(
    readonly userId: string,
    readonly identity: Identity,
    readonly context: Context,
  ) {
    super();
  }
}

/** Replaces the caller's recovery codes. Requires a recent second factor. */
export class IssueRecoveryCodesCommand extends Command<FreshCodes | Rejection> {
  constructor(
    readonly identity: Identity,
    readonly context: Context,
  ) {
    super();
  }
}

const onAlready = reject('Conflict', 'There is already a second factor. Remove it first.');
const off = reject('Conflict', 'There is no second factor.');
const wrong = reject('NotAllowed', 'The code is incorrect.');

@CommandHandler(BeginTotpCommand)
export class BeginTotpHandler implements ICommandHandler<BeginTotpCommand> {
  constructor(
    private readonly users: Users,
    private readonly factors: SecondFactors,
    private readonly proving: Proving,
  ) {}

  async execute({ identity }: BeginTotpCommand): Promise<NewTotp | Rejection> {
    const unproved = await this.proving.demandProof(identity);
    if (unproved) return unproved;
    const { actor } = identity;
    const { state } = await this.users.newest(actor.id);
    return state.totpId === null ? this.factors.begin(actor.id, state.username) : onAlready;
  }
}

@CommandHandler(EnableTotpCommand)
export class EnableTotpHandler implements ICommandHandler<EnableTotpCommand> {
  constructor(
    private readonly users: Users,
    private readonly factors: SecondFactors,
    private readonly sessions: Sessions,
    private readonly revoker: SessionRevoker,
  ) {}

  async execute({ identity, code, context }: EnableTotpCommand): Promise<FreshCodes | Rejection> {
    const { actor, sessionId } = identity;
    const { state } = await this.users.newest(actor.id);
    if (state.totpId !== null) return onAlready;
    const totpId = await this.factors.begun(actor.id);
    if (!totpId) return reject('Conflict', 'Begin with POST /v1/me/totp.');
    if (!(await this.factors.accept(totpId, code))) return wrong;
    const recoveryCodes = await this.factors.newRecoveryCodes(totpId);
    const others = { except: sessionId };
    const sessionIds = await this.sessions.revoke(actor.id, others);
    const enabled = await this.users.send(actor.id, { type: 'EnableTotp', actor, totpId, sessionIds }, context);
    if (isRejection(enabled)) return enabled;
    await this.sessions.markRecorded(sessionIds);
    await this.sessions.noteProof(sessionId);
    const ended = await this.revoker.revoke(actor.id, others, actor, 'totp', context);
    return isRejection(ended) ? ended : { recoveryCodes };
  }
}

@CommandHandler(DisableTotpCommand)
export class DisableTotpHandler implements ICommandHandler<DisableTotpCommand> {
  constructor(
    private readonly users: Users,
    private readonly factors: SecondFactors,
    private readonly proving: Proving,
  ) {}

  async execute({ actor, proof, context }: DisableTotpCommand): Promise<object | Rejection> {
    const { state } = await this.users.newest(actor.id);
    if (state.totpId === null) return off;
    const unproved = await this.proving.check(actor.id, proof, context);
    if (unproved) return unproved;
    const removed = await this.users.send(actor.id, { type: 'DisableTotp', actor, userId: actor.id }, context);
    if (isRejection(removed)) return removed;
    await this.factors.forget(state.totpId);
    return removed;
  }
}

@CommandHandler(DisableTotpOfUserCommand)
export class DisableTotpOfUserHandler implements ICommandHandler<DisableTotpOfUserCommand> {
  constructor(
    private readonly users: Users,
    private readonly factors: SecondFactors,
    private readonly proving: Proving,
  ) {}

  async execute({ userId, identity, context }: DisableTotpOfUserCommand): Promise<object | Rejection> {
    const unproved = await this.proving.demandProof(identity);
    if (unproved) return unproved;
    const { actor } = identity;
    const { state } = await this.users.newest(userId);
    const unknown = unknownUser(state);
    if (unknown) return unknown;
    const { totpId } = state;
    const removed = await this.users.send(userId, { type: 'DisableTotp', actor, userId }, context);
    if (!isRejection(removed) && totpId !== null) await this.factors.forget(totpId);
    return removed;
  }
}

@CommandHandler(IssueRecoveryCodesCommand)
export class IssueRecoveryCodesHandler implements ICommandHandler<IssueRecoveryCodesCommand> {
  constructor(
    private readonly users: Users,
    private readonly factors: SecondFactors,
    private readonly proving: Proving,
  ) {}

  async execute({ identity, context }: IssueRecoveryCodesCommand): Promise<FreshCodes | Rejection> {
    const unproved = await this.proving.demandFresh(identity);
    if (unproved) return unproved;
    const { actor } = identity;
    const issued = await this.users.send(actor.id, { type: 'IssueRecoveryCodes', actor }, context);
    if (isRejection(issued)) return issued;
    const { totpId } = issued.state;
    return totpId === null ? off : { recoveryCodes: await this.factors.newRecoveryCodes(totpId) };
  }
}

export const secondFactorCommandHandlers = [
  BeginTotpHandler,
  EnableTotpHandler,
  DisableTotpHandler,
  DisableTotpOfUserHandler,
  IssueRecoveryCodesHandler,
];
