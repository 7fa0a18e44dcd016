import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, type Rejection, reject } from '@verbatim/domain';
import { type NewTotp, SecondFactors } from '../../storage/vault/second-factors.js';
import { Sessions } from '../../storage/vault/sessions.js';
import { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';
import type { Identity } from '../accounts/authentication.js';
import { type Proof, Proving } from './proving.js';
import { RevokeSessionsCommand, RevokeSessionsHandler } from './session-commands.js';

/** Recovery codes, in the one moment in which they can be shown. */
export interface FreshCodes {
  readonly recoveryCodes: string[];
}

/** Makes a secret for the caller's authenticator. Nothing changes until it is confirmed. */
export class BeginTotpCommand extends Command<NewTotp | Rejection> {
  constructor(readonly actor: Actor) {
    super();
  }
}

/** Turns the second factor on, once a first code shows that the authenticator has the secret. The other sessions end. */
export class EnableTotpCommand extends Command<FreshCodes | Rejection> {
  constructor(
    readonly identity: Identity,
    readonly code: string,
    readonly context: Context,
  ) {
    super();
  }
}

/** Turns the second factor off. */
export class DisableTotpCommand extends Command<object | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly proof: Proof,
    readonly context: Context,
  ) {
    super();
  }
}

/** Turns the second factor of somebody else off, by an administrator. */
export class DisableTotpOfUserCommand extends Command<object | Rejection> {
  constructor(
    readonly userId: string,
    readonly actor: Actor,
    readonly context: Context,
  ) {
    super();
  }
}

/** Puts fresh recovery codes in place of the old ones. */
export class IssueRecoveryCodesCommand extends Command<FreshCodes | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly context: Context,
  ) {
    super();
  }
}

const onAlready = reject('Conflict', 'There is a second factor already. Take it away first.');
const off = reject('Conflict', 'There is no second factor.');
const wrong = reject('NotAllowed', 'This is not right.');

@CommandHandler(BeginTotpCommand)
export class BeginTotpHandler implements ICommandHandler<BeginTotpCommand> {
  constructor(
    private readonly users: Users,
    private readonly factors: SecondFactors,
  ) {}

  async execute({ actor }: BeginTotpCommand): Promise<NewTotp | Rejection> {
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
    private readonly end: RevokeSessionsHandler,
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
    await this.sessions.told(sessionIds);
    await this.sessions.noteProof(sessionId);
    const ended = await this.end.execute(new RevokeSessionsCommand(actor.id, others, actor, 'totp', context));
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
    if (!(await this.proving.by(actor.id, proof, context))) return wrong;
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
  ) {}

  async execute({ userId, actor, context }: DisableTotpOfUserCommand): Promise<object | Rejection> {
    const { totpId } = (await this.users.newest(userId)).state;
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
  ) {}

  async execute({ actor, context }: IssueRecoveryCodesCommand): Promise<FreshCodes | Rejection> {
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
