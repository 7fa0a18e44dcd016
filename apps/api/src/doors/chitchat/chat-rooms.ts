import type { CommandBus, QueryBus } from '@nestjs/cqrs';
import { type Actor, isRejection, nameKey, type Rejection, type RoomState } from '@verbatim/domain';
import { FindCaretakerCommand } from '../../application/accounts/caretakers.js';
import { ChangeRoomCommand, CloseRoomCommand, CreateRoomCommand } from '../../application/rooms/room-commands.js';
import {
  FindRoomByNameQuery,
  GetRoomStateUncheckedQuery,
  ListRoomsQuery,
} from '../../application/rooms/room-queries.js';
import { derivedId } from '../../derived-id.js';
import { newId } from '../../new-id.js';
import type { ReadModels } from '../../storage/read-models.js';
import { ChatError } from './answers.js';
import type { ChatVisibility, RoomBody } from './bodies.js';
import { DOOR, newContext } from './context.js';
import { FIRST_NUMBER, type NumberedRoom, type RoomNumbers } from './room-numbers.js';
import type { TextHashes } from './text-hashes.js';

/** The room that always exists. */
const FIRST_ROOM = { title: 'Public Chat', description: 'This is the default chat, available to everyone!' };
/** Rooms in a list. */
export const MOST_LISTED = 100;
/** Seconds after which a claimed title without a room is free again. */
const CREATION_SECONDS = 30;

/** Milliseconds that a change waits for lists to show it. */
const LIST_PATIENCE_MS = 2_000;

/** A room as lists show it. */
export interface ListedRoom extends NumberedRoom {
  readonly title: string;
  readonly description: string;
  readonly visibility: ChatVisibility;
  readonly createdAt: string;
}

/** A room that clients of this door may see, and its state as of now. */
export interface ChatRoom extends ListedRoom {
  readonly state: RoomState;
}

/**
 * The rooms of this door, and changes to them. Rooms created here belong to the caretaker of the door, and anyone may
 * change them in its name. Native rooms appear here if they are public or have a password.
 */
export class ChatRooms {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly numbers: RoomNumbers,
    private readonly hashes: TextHashes,
    private readonly readModels: ReadModels,
    /** Whether clients may change rooms that were created here. */
    private readonly changeable: boolean,
  ) {}

  // Finding -----------------------------------------------------------------------------------------------------------

  /** The room with this number or title, whatever the title's case. Throws 101 if there is no visible one. */
  async find(wanted: string): Promise<ChatRoom> {
    const byNumber = /^\d{1,16}$/.test(wanted) ? await this.numbers.byNumber(Number(wanted)) : null;
    const room = (byNumber && (await this.shown(byNumber))) ?? (await this.byTitle(wanted));
    if (!room) throw ChatError.of(101, wanted.slice(0, 200));
    return room;
  }

  /** A room that has the title now takes precedence over one that used to have it. */
  private async byTitle(title: string): Promise<ChatRoom | null> {
    const key = nameKey(title);
    if (key === '') return null;
    const held = await this.numbers.holderOf(this.hash(key));
    const here = held && (await this.shownById(held.roomId, true));
    if (here && nameKey(here.state.name ?? '') === key) return here;
    const owner = await this.queries.execute(new FindRoomByNameQuery(title));
    return (owner && (await this.shownById(owner, false))) || here;
  }

  /** Only rooms created here have a title here; it is needed if the process died before it gave them a number. */
  private async shownById(roomId: string, createdHere: boolean): Promise<ChatRoom | null> {
    const known = await this.numbers.byRoom(roomId);
    if (known) return this.shown(known);
    const state = await this.stateOf(roomId);
    const visibility = visibilityOf(state, createdHere);
    if (!visibility) return null;
    const secret = visibility === 'hidden' || (visibility === 'private' && !createdHere);
    const number = await this.numbers.assign(roomId, { createdHere, secret });
    return chatRoom(number, state, visibility);
  }

  private async shown(numbered: NumberedRoom): Promise<ChatRoom | null> {
    const state = await this.stateOf(numbered.roomId);
    const visibility = visibilityOf(state, numbered.createdHere);
    return visibility && chatRoom(numbered, state, visibility);
  }

  /** The listed rooms: public ones, and private ones created here; if there are many, the most recently used. */
  async list(): Promise<ListedRoom[]> {
    const caretaker = await this.commands.execute(new FindCaretakerCommand(DOOR, newContext()));
    const viewer = isRejection(caretaker) ? nobody : caretaker;
    const query = { status: 'open', sort: 'activity', order: 'desc', page: { limit: MOST_LISTED } } as const;
    const { items } = await this.queries.execute(new ListRoomsQuery(viewer, query));
    const known = await this.numbers.ofRooms(items.map(({ id }) => id));
    const listed: ListedRoom[] = [];
    for (const room of items) {
      const numbered = known.get(room.id);
      const visibility = visibilityOf(room, numbered?.createdHere ?? false);
      if (!visibility || visibility === 'hidden') continue;
      const number = numbered ?? (await this.numbers.assign(room.id, { createdHere: false, secret: false }));
      listed.push(listedRoom(number, room, visibility));
    }
    return listed.sort((one, other) => one.number - other.number);
  }

  // Changing ----------------------------------------------------------------------------------------------------------

  async create(body: RoomBody, password: string): Promise<ChatRoom> {
    const caretaker = await this.caretaker();
    const roomId = newId();
    await this.claimTitle(body.title, roomId);
    const created = await this.commands.execute(
      new CreateRoomCommand(
        roomId,
        { ...settingsOf(body), actor: caretaker, history: 'full', password: password === '' ? null : password },
        newContext(),
      ),
    );
    if (isRejection(created)) {
      // If the outcome is unknown, the title stays claimed until it is certain that the room does not exist.
      if (created.rejected !== 'Unavailable') await this.numbers.releaseTitle(this.hash(nameKey(body.title)), roomId);
      throw refused(created);
    }
    const secret = body.visibility === 'hidden';
    const number = await this.numbers.assign(roomId, { createdHere: true, secret });
    await this.listed(created);
    return chatRoom(number, created.state, body.visibility);
  }

  /** Changes everything but the password. */
  async change(room: ChatRoom, body: RoomBody): Promise<ChatRoom> {
    const caretaker = await this.caretakerOf(room);
    if (nameKey(body.title) !== nameKey(room.state.name ?? '')) await this.claimTitle(body.title, room.roomId);
    const { name, topic, visibility } = settingsOf(body);
    const changed = await this.commands.execute(
      new ChangeRoomCommand(room.roomId, caretaker, { name, topic, visibility }, newContext()),
    );
    if (isRejection(changed)) throw refused(changed);
    await this.numbers.noteChange(room.roomId);
    await this.listed(changed);
    return chatRoom({ ...room, updatedAt: new Date(changed.at) }, changed.state, body.visibility);
  }

  async remove(room: ChatRoom): Promise<void> {
    const caretaker = await this.caretakerOf(room);
    const closed = await this.commands.execute(new CloseRoomCommand(room.roomId, caretaker, null, newContext()));
    if (isRejection(closed)) throw refused(closed);
    await this.listed(closed);
  }

  /** Waits briefly until lists show the change. */
  private async listed({ position }: { readonly position: bigint }): Promise<void> {
    await this.readModels.reached(position, LIST_PATIENCE_MS);
  }

  /** The actor for changes to a room. Throws 104 if clients of this door may not change it. */
  private caretakerOf(room: ChatRoom): Promise<Actor> {
    if (!room.createdHere || !this.changeable) throw ChatError.of(104);
    return this.caretaker();
  }

  private async caretaker(): Promise<Actor> {
    const caretaker = await this.commands.execute(new FindCaretakerCommand(DOOR, newContext()));
    if (isRejection(caretaker)) throw ChatError.ofRejection(caretaker, 'room');
    return caretaker;
  }

  /** Titles are unique regardless of case, including those of hidden rooms, whose native names need not be unique. */
  private async claimTitle(title: string, roomId: string): Promise<void> {
    const key = nameKey(title);
    const native = await this.queries.execute(new FindRoomByNameQuery(title));
    if (native && native !== roomId) throw duplicate;
    const held = await this.numbers.holderOf(this.hash(key));
    if (held && held.roomId !== roomId) {
      const { status, name } = await this.stateOf(held.roomId);
      const beingCreated = status === 'unborn' && held.seconds < CREATION_SECONDS;
      if (beingCreated || (status === 'open' && nameKey(name ?? '') === key)) throw duplicate;
    }
    if (!(await this.numbers.claimTitle(this.hash(key), roomId, held?.roomId ?? null))) throw duplicate;
  }

  private stateOf(roomId: string): Promise<RoomState> {
    return this.queries.execute(new GetRoomStateUncheckedQuery(roomId));
  }

  private hash(key: string): string {
    return this.hashes.of('title', key);
  }

  // The first room ----------------------------------------------------------------------------------------------------

  /** Creates the room with the first number, if there never was one. */
  async prepareFirst(): Promise<void> {
    if (await this.numbers.byNumber(FIRST_NUMBER)) return;
    const roomId = derivedId('first room', DOOR);
    const { title, description } = FIRST_ROOM;
    const settings = {
      name: title,
      topic: description,
      visibility: 'public',
      history: 'full',
      password: null,
    } as const;
    const actor = await this.caretaker();
    const created = await this.commands.execute(new CreateRoomCommand(roomId, { ...settings, actor }, newContext()));
    if (!isRejection(created)) {
      await this.numbers.claimTitle(this.hash(nameKey(title)), roomId, null);
      return this.numbers.assignFirst(roomId, true);
    }
    // A native room with this name takes its place.
    const owner = created.rejected === 'NameTaken' && (await this.queries.execute(new FindRoomByNameQuery(title)));
    if (owner) await this.numbers.assignFirst(owner, false);
  }
}

/** Whether a room shows nothing without a token: hidden rooms, and private native ones. */
export const isSecret = ({ visibility, createdHere, state }: ChatRoom): boolean =>
  visibility === 'hidden' || (!createdHere && state.visibility === 'private');

const duplicate = ChatError.of(102, 'title');

/** An actor who sees only public rooms, for when there is no caretaker. */
const nobody: Actor = { id: '00000000-0000-0000-0000-000000000000', role: 'user' };

const refused = (rejection: Rejection): ChatError =>
  ChatError.ofRejection(rejection, 'room', /^(Invalid|NameTaken)$/.test(rejection.rejected) ? 'title' : undefined);

const settingsOf = ({ title, description, visibility }: RoomBody) => ({ name: title, topic: description, visibility });

type Settings = Pick<RoomState, 'name' | 'topic' | 'createdAt'>;

const listedRoom = (room: NumberedRoom, settings: Settings, visibility: ChatVisibility): ListedRoom => ({
  number: room.number,
  roomId: room.roomId,
  createdHere: room.createdHere,
  updatedAt: room.updatedAt,
  title: settings.name ?? '',
  description: settings.topic ?? '',
  visibility,
  createdAt: settings.createdAt,
});

const chatRoom = (room: NumberedRoom, state: RoomState, visibility: ChatVisibility): ChatRoom => ({
  ...listedRoom(room, state, visibility),
  state,
});

/**
 * How a room appears to clients of this door, or null if it does not. Native rooms are public, or private with a password:
 * private ones without a password could not be entered, and hidden ones stay hidden.
 */
function visibilityOf(
  { status, visibility, passwordId }: Pick<RoomState, 'visibility' | 'passwordId'> & { readonly status: string },
  createdHere: boolean,
): ChatVisibility | null {
  if (status !== 'open' || visibility === 'direct') return null;
  if (visibility === 'hidden') return createdHere ? 'hidden' : null;
  if (passwordId !== null) return 'private';
  return visibility === 'public' ? 'public' : createdHere ? 'private' : null;
}
