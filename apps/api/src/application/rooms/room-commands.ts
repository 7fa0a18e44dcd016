import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  type Actor,
  accountGone,
  type CreateRoom,
  concealed,
  type HistoryAccess,
  holdsName,
  isRejection,
  nameKey,
  type PostMessage,
  type Rejection,
  type RoomCommand,
  type RoomState,
  reject,
  room,
  type Visibility,
} from '@verbatim/domain';
import { Time } from '../../clock.js';
import { derivedId } from '../../derived-id.js';
import { type Claim, Names } from '../../storage/vault/names.js';
import { Rooms, Users } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';
import { Redeeming } from '../invitations/redeeming.js';
import { WebhookBots } from '../webhooks/webhook-bots.js';
import { RoomPasswords } from './room-passwords.js';

type RoomDecided = Decided<RoomState>;

/** One decision of the room's rules, nothing else. */
export class ApplyToRoomCommand extends Command<RoomDecided | Rejection> {
  constructor(
    readonly roomId: string,
    readonly command: RoomCommand,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(ApplyToRoomCommand)
export class ApplyToRoomHandler implements ICommandHandler<ApplyToRoomCommand> {
  constructor(
    private readonly rooms: Rooms,
    private readonly users: Users,
  ) {}

  async execute({ roomId, command, context }: ApplyToRoomCommand): Promise<RoomDecided | Rejection> {
    if (command.type === 'PostMessage' && (await this.peerGone(roomId, command))) return accountGone;
    return this.rooms.send(roomId, command, context);
  }

  /** Whether a new message would go to somebody whose account was deactivated. */
  private async peerGone(roomId: string, { actor, messageId }: PostMessage): Promise<boolean> {
    const { state } = await this.rooms.current(roomId);
    if (state.pair.length === 0 || state.messages.get(messageId)) return false;
    const peer = state.pair.find((id) => id !== actor.id);
    return peer !== undefined && isDeactivated(this.users, peer);
  }
}

const isDeactivated = async (users: Users, userId: string): Promise<boolean> =>
  (await users.current(userId)).state.status === 'deactivated';

/** Makes a room under a name that no other open room has. */
export class CreateRoomCommand extends Command<RoomDecided | Rejection> {
  constructor(
    readonly roomId: string,
    readonly room: Omit<CreateRoom, 'type' | 'passwordId'> & { readonly password: string | null },
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(CreateRoomCommand)
export class CreateRoomHandler implements ICommandHandler<CreateRoomCommand> {
  constructor(
    private readonly rooms: Rooms,
    private readonly names: Names,
    private readonly passwords: RoomPasswords,
  ) {}

  async execute({ roomId, room, context }: CreateRoomCommand): Promise<RoomDecided | Rejection> {
    const { password, ...settings } = room;
    const key = nameKey(room.name);
    const claim = room.visibility === 'hidden' ? undefined : await this.names.claim('room', key, roomId);
    if (claim === null) return nameTaken;
    const passwordId = password === null ? null : await this.passwords.keep(roomId, password);
    const opened = await this.rooms.send(roomId, { type: 'CreateRoom', ...settings, passwordId }, context);
    if (claim) await letGo(this.names, this.rooms, roomId, opened, [{ hash: this.names.hash('room', key), claim }]);
    if (passwordId !== null && !isUnknown(opened)) await this.passwords.discard(roomId, [passwordId]);
    return opened;
  }
}

const nameTaken = reject('NameTaken', 'Another open room has this name.');

/** The room of two people, made when one of them first asks for it. */
export class CreateDirectRoomCommand extends Command<RoomDecided | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly peerId: string,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(CreateDirectRoomCommand)
export class CreateDirectRoomHandler implements ICommandHandler<CreateDirectRoomCommand> {
  constructor(
    private readonly rooms: Rooms,
    private readonly users: Users,
  ) {}

  async execute({ actor, peerId, context }: CreateDirectRoomCommand): Promise<RoomDecided | Rejection> {
    const peerGone = await isDeactivated(this.users, peerId);
    const command = { type: 'CreateDirectRoom', actor, peerId, ...(peerGone && { peerGone }) } as const;
    return this.rooms.send(directRoomId(actor.id, peerId), command, context);
  }
}

/** The same two people always get the same room. */
export const directRoomId = (one: string, other: string): string => derivedId('direct room', ...[one, other].sort());

export interface RoomWishes {
  readonly name?: string;
  readonly topic?: string;
  readonly visibility?: Exclude<Visibility, 'direct'>;
  readonly history?: HistoryAccess;
  /** Null removes the password. */
  readonly password?: string | null;
}

/** Changes a room's settings; a new name is claimed before and the old one let go after. */
export class ChangeRoomCommand extends Command<RoomDecided | Rejection> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
    readonly wishes: RoomWishes,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(ChangeRoomCommand)
export class ChangeRoomHandler implements ICommandHandler<ChangeRoomCommand> {
  constructor(
    private readonly rooms: Rooms,
    private readonly names: Names,
    private readonly passwords: RoomPasswords,
  ) {}

  async execute({ roomId, actor, wishes, context }: ChangeRoomCommand): Promise<RoomDecided | Rejection> {
    const { password, ...settings } = wishes;
    // Asked beforehand with nothing to change, the rules tell whether this person may; a refused one claims no name.
    const allowed = await this.rooms.send(roomId, { type: 'ChangeRoom', actor }, context);
    if (isRejection(allowed)) return allowed;
    const before = allowed.state;
    const held = await this.names.heldBy(roomId);
    const name = wishes.name ?? before.name ?? '';
    const claim = await this.claimFor(roomId, before, name, wishes.visibility ?? before.visibility);
    if (claim === null) return nameTaken;
    const passwordId = password ? await this.passwords.keep(roomId, password) : password;
    // Which name was to be claimed depends on how the room was known.
    const command = { type: 'ChangeRoom', actor, claim, known: before, ...settings, passwordId } as const;
    if (password !== undefined) await this.passwords.expectChange(roomId);
    const revised = await this.rooms.send(roomId, command, context);
    if (password !== undefined && !isUnknown(revised))
      await this.passwords.discard(roomId, [before.passwordId, passwordId ?? null]);
    const claims = claim ? [...held, { hash: this.names.hash('room', nameKey(name)), claim }] : held;
    await letGo(this.names, this.rooms, roomId, revised, claims);
    return revised;
  }

  /** Undefined when no claim is needed, null when the name is taken. */
  private async claimFor(
    roomId: string,
    before: RoomState,
    name: string,
    visibility: Visibility,
  ): Promise<string | null | undefined> {
    if (visibility === 'hidden' || visibility === 'direct') return undefined;
    if (holdsName(before) && nameKey(before.name ?? '') === nameKey(name)) return undefined;
    return this.names.claim('room', nameKey(name), roomId);
  }
}

/** Closes a room for good, lets its name go and ends the bots that posted to it for webhooks. */
export class CloseRoomCommand extends Command<RoomDecided | Rejection> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
    readonly reason: string | null,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(CloseRoomCommand)
export class CloseRoomHandler implements ICommandHandler<CloseRoomCommand> {
  constructor(
    private readonly rooms: Rooms,
    private readonly names: Names,
    private readonly passwords: RoomPasswords,
    private readonly bots: WebhookBots,
  ) {}

  async execute({ roomId, actor, reason, context }: CloseRoomCommand): Promise<RoomDecided | Rejection> {
    const held = await this.names.heldBy(roomId);
    await this.passwords.expectChange(roomId);
    const ended = await this.rooms.send(roomId, { type: 'CloseRoom', actor, reason }, context);
    await letGo(this.names, this.rooms, roomId, ended, held);
    if (isRejection(ended)) return ended;
    await this.passwords.discardAll(roomId);
    const bots = Object.values(ended.state.incomingWebhooks).map(({ botId }) => botId);
    const seen = await this.bots.endAll(bots, context);
    return seen > ended.position ? { ...ended, position: seen } : ended;
  }
}

/** Whether the events of a command may have been stored although it failed. */
const isUnknown = (outcome: RoomDecided | Rejection): boolean =>
  isRejection(outcome) && outcome.rejected === 'Unavailable';

/**
 * Of the claims that were in play the room keeps the one to the name it has now. Nothing is let go while it is unknown
 * what came of the command: the name may still be taken by it.
 */
async function letGo(
  names: Names,
  rooms: Rooms,
  roomId: string,
  outcome: RoomDecided | Rejection,
  claims: readonly Claim[],
): Promise<void> {
  if (isUnknown(outcome)) return;
  const { state } = await rooms.newest(roomId);
  const kept = holdsName(state) ? names.hash('room', nameKey(state.name ?? '')) : null;
  await names.release(claims.filter(({ hash }) => hash !== kept).map(({ claim }) => claim));
}

/** Lets somebody into a room; a password is checked, or an invitation redeemed, before the rules are asked. */
export class JoinRoomCommand extends Command<RoomDecided | Rejection> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
    readonly key: { readonly password?: string | undefined; readonly invitation?: string | undefined },
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(JoinRoomCommand)
export class JoinRoomHandler implements ICommandHandler<JoinRoomCommand> {
  constructor(
    private readonly rooms: Rooms,
    private readonly passwords: RoomPasswords,
    private readonly redeeming: Redeeming,
    private readonly time: Time,
  ) {}

  async execute({ roomId, actor, key, context }: JoinRoomCommand): Promise<RoomDecided | Rejection> {
    const { state } = await this.rooms.current(roomId);
    const { password, invitation } = key;
    if (invitation !== undefined) return this.byInvitation(roomId, actor, invitation, context);
    const proven = password !== undefined && (await this.passwords.matches(state.passwordId, password));
    const provenPasswordId = proven ? (state.passwordId ?? undefined) : undefined;
    return this.rooms.send(roomId, { type: 'JoinRoom', actor, ...(provenPasswordId && { provenPasswordId }) }, context);
  }

  /** Redeems only what the room would then let in; the other way round, a use would be lost on those who are banned. */
  private async byInvitation(
    roomId: string,
    actor: Actor,
    code: string,
    context: Context,
  ): Promise<RoomDecided | Rejection> {
    const { state } = await this.rooms.newest(roomId);
    const notGood = concealed(state, actor) ? noSuchRoom : reject('NotAllowed', 'This invitation is not good here.');
    const found = await this.redeeming.find(code, roomId);
    if (found?.state.to.kind !== 'room') return notGood;
    const join = { type: 'JoinRoom', actor, invited: found.state.to.role } as const;
    const expected = room.decide(join, state, this.time.now().toISOString());
    if (!isRejection(expected) && expected.events.length > 0) {
      const redeemed = await this.redeeming.redeem(found.id, actor.id, actor, context);
      if (isRejection(redeemed)) return mayPass(redeemed) ? redeemed : notGood;
    }
    return this.rooms.send(roomId, join, context);
  }
}

/** A refusal that has nothing to do with the invitation. */
const mayPass = ({ rejected }: Rejection): boolean => rejected === 'Unavailable' || rejected === 'Maintenance';

const noSuchRoom = reject('NotFound', 'There is no such room.');

/** Brings somebody else into a room. */
export class AddMemberCommand extends Command<RoomDecided | Rejection> {
  constructor(
    readonly roomId: string,
    readonly command: Extract<RoomCommand, { type: 'AddMember' }>,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(AddMemberCommand)
export class AddMemberHandler implements ICommandHandler<AddMemberCommand> {
  constructor(
    private readonly rooms: Rooms,
    private readonly users: Users,
  ) {}

  async execute({ roomId, command, context }: AddMemberCommand): Promise<RoomDecided | Rejection> {
    const { state } = await this.rooms.current(roomId);
    const { state: person } = await this.users.current(command.userId);
    const known = person.status === 'active' || person.status === 'suspended';
    if (!known && !concealed(state, command.actor)) return reject('NotFound', 'There is no such user.');
    return this.rooms.send(roomId, command, context);
  }
}

export const roomCommandHandlers = [
  ApplyToRoomHandler,
  CreateRoomHandler,
  CreateDirectRoomHandler,
  ChangeRoomHandler,
  CloseRoomHandler,
  JoinRoomHandler,
  AddMemberHandler,
];
