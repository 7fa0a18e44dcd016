import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  type Actor,
  accountGone,
  type CreateRoom,
  type HistoryAccess,
  holdsName,
  isRejection,
  maySee,
  nameKey,
  type PostMessage,
  type Rejection,
  type RoomCommand,
  type RoomState,
  reject,
  room,
  roomStream,
  type Visibility,
} from '@verbatim/domain';
import { Time } from '../../clock.js';
import { limitedFor } from '../../limits/limited.js';
import { Limits } from '../../limits/limits.js';
import { OpenLog } from '../../storage/open-log.js';
import { type Claim, Names } from '../../storage/vault/names.js';
import { Rooms, Users } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';
import { Redeeming } from '../invitations/redeeming.js';
import { WebhookBots } from '../webhooks/webhook-bots.js';
import { CreateDirectRoomHandler, GetPairHandler } from './direct-rooms.js';
import { RoomPasswords } from './room-passwords.js';

type RoomDecided = Decided<RoomState>;

/**
 * A command decided by the room's rules alone. For a message that was posted before, the result has the revision and
 * position of that post.
 */
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
    private readonly log: OpenLog,
  ) {}

  async execute({ roomId, command, context }: ApplyToRoomCommand): Promise<RoomDecided | Rejection> {
    if (command.type !== 'PostMessage') return this.rooms.send(roomId, command, context);
    // The hot path: a cached room that is not direct has no peer to look up.
    const isDirect = this.rooms.known(roomId)?.pair.length !== 0;
    const posted = await (isDirect
      ? this.postToPeer(roomId, command, context)
      : this.rooms.send(roomId, command, context));
    return isRejection(posted) || posted.events > 0 ? posted : this.postedBefore(roomId, posted);
  }

  private async postedBefore(roomId: string, posted: RoomDecided): Promise<RoomDecided | Rejection> {
    const [event] = await this.log.read(roomStream(roomId), posted.revision, 1);
    return event ? { ...posted, position: event.position } : notReadable;
  }

  /** Rejects new messages to a deactivated account. */
  private async postToPeer(roomId: string, post: PostMessage, context: Context): Promise<RoomDecided | Rejection> {
    const { state } = await this.rooms.current(roomId);
    const peerId = state.pair.find((id) => id !== post.actor.id);
    const isNew = !state.messages.get(post.messageId);
    if (isNew && peerId !== undefined) {
      const { status } = (await this.users.current(peerId)).state;
      if (status === 'deactivated') return accountGone;
    }
    return this.rooms.send(roomId, post, context);
  }
}

const notReadable = reject('Unavailable', 'The message cannot be read at the moment.');

/** Creates a room under a name that no other open room has. */
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
    const created = await this.rooms.send(roomId, { type: 'CreateRoom', ...settings, passwordId }, context);
    if (claim) await release(this.names, this.rooms, roomId, created, [{ hash: this.names.hash('room', key), claim }]);
    if (passwordId !== null && !isUnknown(created)) await this.passwords.discard(roomId, [passwordId]);
    return created;
  }
}

const nameTaken = reject('NameTaken', 'Another open room has this name.');

export interface RoomChanges {
  readonly name?: string;
  readonly topic?: string;
  readonly visibility?: Exclude<Visibility, 'direct'>;
  readonly history?: HistoryAccess;
  /** Null removes the password. */
  readonly password?: string | null;
}

/** Changes a room's settings. A new name is claimed before the change, the old one released after it. */
export class ChangeRoomCommand extends Command<RoomDecided | Rejection> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
    readonly changes: RoomChanges,
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

  async execute({ roomId, actor, changes, context }: ChangeRoomCommand): Promise<RoomDecided | Rejection> {
    const { password, ...settings } = changes;
    // A change without effect is rejected like a real one, before anything is claimed.
    const allowed = await this.rooms.send(roomId, { type: 'ChangeRoom', actor }, context);
    if (isRejection(allowed)) return allowed;
    const before = allowed.state;
    const held = await this.names.heldBy(roomId);
    const name = changes.name ?? before.name ?? '';
    const claim = await this.claimFor(roomId, before, name, changes.visibility ?? before.visibility);
    if (claim === null) return nameTaken;
    const passwordId = password ? await this.passwords.keep(roomId, password) : password;
    // The claim depends on this state: the rules reject the change if the room has changed since.
    const command = { type: 'ChangeRoom', actor, claim, known: before, ...settings, passwordId } as const;
    if (password !== undefined) await this.passwords.expectChange(roomId);
    const changed = await this.rooms.send(roomId, command, context);
    if (password !== undefined && !isUnknown(changed))
      await this.passwords.discard(roomId, [before.passwordId, passwordId ?? null]);
    const claims = claim ? [...held, { hash: this.names.hash('room', nameKey(name)), claim }] : held;
    await release(this.names, this.rooms, roomId, changed, claims);
    return changed;
  }

  /** The id of the claim; undefined if none is needed, null if the name is taken. */
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

/** Closes a room for good, releases its name and deactivates the bots of its incoming webhooks. */
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
    const closed = await this.rooms.send(roomId, { type: 'CloseRoom', actor, reason }, context);
    await release(this.names, this.rooms, roomId, closed, held);
    if (isRejection(closed)) return closed;
    await this.passwords.discardAll(roomId);
    const bots = Object.values(closed.state.incomingWebhooks).map(({ botId }) => botId);
    const position = await this.bots.deactivateAll(bots, context);
    return position > closed.position ? { ...closed, position } : closed;
  }
}

/** Whether the events of a failed command may have been stored. */
const isUnknown = (outcome: RoomDecided | Rejection): boolean =>
  isRejection(outcome) && outcome.rejected === 'Unavailable';

/**
 * Releases claims to names, except to the room's current name. Nothing is released while the outcome of the command is
 * unknown: it may still take effect.
 */
async function release(
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

/** What a person presents to enter a room that is not open to all. */
export interface RoomKey {
  readonly password?: string | undefined;
  readonly invitation?: string | undefined;
}

/** Joins a room, with a password or an invitation if given. */
export class JoinRoomCommand extends Command<RoomDecided | Rejection> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
    readonly key: RoomKey,
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
    private readonly limits: Limits,
    private readonly time: Time,
  ) {}

  async execute({ roomId, actor, key, context }: JoinRoomCommand): Promise<RoomDecided | Rejection> {
    const { password, invitation } = key;
    const limited = password === undefined ? null : limitedFor(this.limits.account(actor.id).passwords.spend());
    if (limited) return limited;
    if (invitation !== undefined) return this.byInvitation(roomId, actor, invitation, context);
    const { state } = await this.rooms.current(roomId);
    const proven = password !== undefined && (await this.passwords.matches(state.passwordId, password));
    const provenPasswordId = proven ? (state.passwordId ?? undefined) : undefined;
    return this.rooms.send(roomId, { type: 'JoinRoom', actor, ...(provenPasswordId && { provenPasswordId }) }, context);
  }

  /** Redeems the invitation only if the room would then admit this person, so that banned people do not use it up. */
  private async byInvitation(
    roomId: string,
    actor: Actor,
    code: string,
    context: Context,
  ): Promise<RoomDecided | Rejection> {
    const { state } = await this.rooms.newest(roomId);
    const invalid = maySee(state, actor) ? reject('NotAllowed', 'This invitation is not valid here.') : noSuchRoom;
    const found = await this.redeeming.find(code, roomId);
    if (found?.state.to.kind !== 'room') return invalid;
    const join = { type: 'JoinRoom', actor, invited: found.state.to.role } as const;
    const expected = room.decide(join, state, this.time.now().toISOString());
    if (!isRejection(expected) && expected.events.length > 0) {
      const redeemed = await this.redeeming.redeem(found.id, actor.id, actor, context);
      if (isRejection(redeemed)) return mayPass(redeemed) ? redeemed : invalid;
    }
    return this.rooms.send(roomId, join, context);
  }
}

/** Whether a rejection is unrelated to the invitation. */
const mayPass = ({ rejected }: Rejection): boolean => rejected === 'Unavailable' || rejected === 'Maintenance';

const noSuchRoom = reject('NotFound', 'There is no such room.');

/** Adds someone else to a room. */
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
    if (!known && maySee(state, command.actor)) return reject('NotFound', 'There is no such user.');
    return this.rooms.send(roomId, command, context);
  }
}

export const roomCommandHandlers = [
  CreateDirectRoomHandler,
  GetPairHandler,
  ApplyToRoomHandler,
  CreateRoomHandler,
  ChangeRoomHandler,
  CloseRoomHandler,
  JoinRoomHandler,
  AddMemberHandler,
];
