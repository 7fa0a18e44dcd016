import { codePoints, limits, nameKey, normalize, type RoomState } from '@verbatim/domain';
import {
  AddMemberCommand,
  ApplyToRoomCommand,
  ChangeRoomCommand,
  CloseRoomCommand,
  CreateRoomCommand,
  type RoomChanges,
} from '../../application/rooms/room-commands.js';
import {
  GetRoomStateQuery,
  IsRoomNamedQuery,
  ListMembersFromQuery,
  ListRoomsFromQuery,
} from '../../application/rooms/room-queries.js';
import { newId } from '../../new-id.js';
import { accepted } from '../refusal.js';
import { type Answer, adminRequired, missing, notValid, occurred, ok, Refused } from './answers.js';
import {
  asksForPage,
  date,
  fieldOf,
  fieldsOf,
  idIn,
  isRefusedFor,
  oid,
  pageAnswer,
  pageOf,
  purposeOf,
  type UserCall,
} from './call.js';
import type { Parts } from './parts.js';
import {
  documentOfState,
  documentsOfRows,
  type Flags,
  flagsOf,
  listingOf,
  type MemberRecord,
  MOST_MEMBERS,
  recordKey,
  recordOf,
  roleNames,
  visibilityOf,
} from './room-documents.js';

/** The most rooms in the complete list of makechat's documentation. */
const MOST_ROOMS = 1_000;

/** Rooms and their members. */
export class Rooms {
  constructor(private readonly parts: Parts) {}

  // Lists -------------------------------------------------------------------------------------------------------------

  /**
   * makechat's documentation has a bare array of all rooms for administrators, its dashboard needs a page of the visible
   * rooms. All documented examples send a token and no query; the dashboard sends a cookie.
   */
  list(call: UserCall): Promise<Answer> {
    return call.byToken && !asksForPage(call.query) ? this.listAll(call) : this.listPage(call);
  }

  private async listAll({ actor }: UserCall): Promise<Answer> {
    if (actor.role !== 'admin') throw adminRequired;
    const { items } = await this.rooms(actor, { offset: 0, limit: MOST_ROOMS });
    return { status: 200, body: items };
  }

  private async listPage(call: UserCall): Promise<Answer> {
    const page = pageOf(call.query);
    return pageAnswer(call, page, await this.rooms(call.actor, page.stretch));
  }

  private async rooms(actor: UserCall['actor'], stretch: { offset: number; limit: number }) {
    const { queries, objectIds, listing } = this.parts;
    const wanted = { ...stretch, alsoPrivate: listing.listed(), mostMembers: MOST_MEMBERS };
    const { items, total } = await queries.execute(new ListRoomsFromQuery(actor, wanted));
    const listings = await listing.of(items.map(({ id }) => id));
    return { items: await documentsOfRows(objectIds, items, listings), total };
  }

  /** The member records of a room. */
  async listMembers(call: UserCall): Promise<Answer> {
    const page = pageOf(call.query);
    const roomId = await this.roomIn(call);
    const { queries, objectIds } = this.parts;
    const list = new ListMembersFromQuery(roomId, call.actor, purposeOf(call), page.stretch);
    const found = await queries.execute(list);
    if (isRefusedFor(found, 'NotFound')) throw notFound(call.query.get('room') ?? '');
    const { items, total } = accepted(found);
    const records = items.map(({ user, role }) => ({ userId: user.id, role }));
    const [ofMembers, ofUsers] = await Promise.all([
      objectIds.of('member', records.map(recordKey)),
      objectIds.of(
        'user',
        records.map(({ userId }) => userId),
      ),
    ]);
    const documents = items.map(({ user, role, joinedAt }) => ({
      _id: oid(ofMembers.get(recordKey({ userId: user.id, role }))),
      role: roleNames[role],
      profile: oid(ofUsers.get(user.id)),
      username: user.username ?? '',
      created: date(joinedAt),
    }));
    return pageAnswer(call, page, { items: documents, total });
  }

  private async roomIn({ query }: UserCall): Promise<string> {
    const room = query.get('room');
    if (room === null) throw missing('room');
    return this.idOf(room);
  }

  /** The id of the room that has this object id. */
  async idOf(objectId: string): Promise<string> {
    const id = (await this.parts.objectIds.find('room', [objectId])).get(objectId);
    if (id === undefined) throw notFound(objectId);
    return id;
  }

  // Changes -----------------------------------------------------------------------------------------------------------

  async create(call: UserCall): Promise<Answer> {
    const { commands, queries, listing } = this.parts;
    const fields = fieldsOf(call.body, 'payload');
    const given = fieldOf(fields, 'name');
    if (given === undefined) throw missing('name');
    const name = nameOf(given);
    const flags = {
      isOpen: flag(fields, 'is_open') ?? true,
      isVisible: flag(fields, 'is_visible') ?? true,
    };
    if (await queries.execute(new IsRoomNamedQuery(name))) throw duplicate(name);
    const roomId = newId();
    const settings = { name, topic: '', visibility: visibilityOf(flags), history: 'full', password: null } as const;
    const created = await commands.execute(
      new CreateRoomCommand(roomId, { actor: call.actor, ...settings }, call.context),
    );
    if (isRefusedFor(created, 'NameTaken')) throw duplicate(name);
    const { state, position } = accepted(created);
    await listing.set(roomId, listingOf(flags));
    return this.written(call, roomId, { state, position }, 201);
  }

  /** PUT and PATCH both change only the given fields. */
  async change(call: UserCall): Promise<Answer> {
    const { roomId, state } = await this.owned(call);
    const fields = fieldsOf(call.body, 'payload');
    const names = Object.keys(fields).filter((name) => name !== '_id' && name !== 'created');
    const unknown = names.find((name) => !changeable.has(name));
    if (unknown !== undefined) throw occurred(`Cannot resolve field "${unknown.slice(0, 28)}"`);
    if (names.length === 0) throw new Refused(400, 'OperationError', 'No update parameters, would remove data');

    const { listing } = this.parts;
    const before = flagsOf(state.visibility, (await listing.of([roomId])).get(roomId));
    const flags: Flags = {
      isOpen: flag(fields, 'is_open') ?? before.isOpen,
      isVisible: flag(fields, 'is_visible') ?? before.isVisible,
    };
    const name = names.includes('name') ? nameOf(fields.name) : undefined;
    const wanted = names.includes('members') ? await this.recordsIn(fields.members, state) : null;
    const changed = await this.settings(call, roomId, state, { name, flags: sets(names) ? flags : null });
    const last = wanted ? await this.replaceMembers(call, roomId, wanted, changed.state) : changed;
    return this.written(call, roomId, last, 200);
  }

  /** Always succeeds, even if there is nothing that the caller may delete. */
  async remove(call: UserCall): Promise<Answer> {
    const { commands, queries, objectIds, readYourWrites } = this.parts;
    const { id, actor, context } = call;
    const roomId = (await objectIds.find('room', [id])).get(id);
    if (roomId === undefined) return ok;
    const state = await queries.execute(new GetRoomStateQuery(roomId, actor));
    if (isRefusedFor(state, 'NotFound')) return ok;
    const { members, status } = accepted(state);
    if (status !== 'open' || members.get(actor.id)?.role !== 'owner') return ok;
    const closed = accepted(await commands.execute(new CloseRoomCommand(roomId, actor, null, context)));
    await readYourWrites.written(closed.position, call.reply);
    return ok;
  }

  /** The open room of a call, if the caller is an owner of it. */
  private async owned({ id, actor, body }: UserCall): Promise<{ roomId: string; state: RoomState }> {
    const roomId = await this.idOf(id);
    const found = await this.parts.queries.execute(new GetRoomStateQuery(roomId, actor));
    if (isRefusedFor(found, 'NotFound')) throw notFound(id);
    const state = accepted(found);
    const isRoom = state.status === 'open' && state.visibility !== 'direct';
    if (!isRoom || typeof body !== 'object' || body === null || Array.isArray(body)) throw notFound(id);
    if (state.members.get(actor.id)?.role !== 'owner') throw occurred('You are not owner of this room.');
    return { roomId, state };
  }

  private async settings(
    { actor, context }: UserCall,
    roomId: string,
    { visibility, name: oldName }: RoomState,
    { name, flags }: { name: string | undefined; flags: Flags | null },
  ) {
    const { commands, queries, listing } = this.parts;
    if (name !== undefined && name !== oldName && (await queries.execute(new IsRoomNamedQuery(name)))) {
      if (oldName === null || nameKey(name) !== nameKey(oldName)) throw duplicate(name);
    }
    const changes: RoomChanges = {
      ...(name !== undefined && { name }),
      ...(flags && visibilityOf(flags) !== visibility && { visibility: visibilityOf(flags) }),
    };
    const changed = await commands.execute(new ChangeRoomCommand(roomId, actor, changes, context));
    if (isRefusedFor(changed, 'NameTaken')) throw duplicate(name ?? '');
    const decided = accepted(changed);
    // Stored only after the change was accepted, so that a refused change adds a private room to no list.
    if (flags) await listing.set(roomId, listingOf(flags));
    return decided;
  }

  // Members -----------------------------------------------------------------------------------------------------------

  /** The member records of a list, which replaces the members of the room; the id of a user stands for a plain member. */
  private async recordsIn(list: unknown, { members }: RoomState): Promise<MemberRecord[]> {
    if (!Array.isArray(list)) throw notValid('Room', 'members', 'Only lists and tuples may be used in a list field');
    if (members.size > MOST_MEMBERS || list.length > MOST_MEMBERS)
      throw occurred(`A room of more than ${MOST_MEMBERS} members cannot be given a new list of them.`);
    const ids = list.map(idIn);
    if (ids.includes(null)) throw notValid('Room', 'members', 'A ReferenceField only accepts DBRef or documents');
    const wanted = ids as string[];
    const [records, users] = await Promise.all([
      this.parts.objectIds.find('member', wanted),
      this.parts.objectIds.find('user', wanted),
    ]);
    return wanted.map((id) => {
      const [key, userId] = [records.get(id), users.get(id)];
      if (key !== undefined) return recordOf(key);
      if (userId !== undefined) return { userId, role: 'member' };
      throw notValid('Room', 'members', 'There is no such member');
    });
  }

  /** Additions and changes first, so that there always is an owner. */
  private async replaceMembers(call: UserCall, roomId: string, wanted: readonly MemberRecord[], before: RoomState) {
    const { commands } = this.parts;
    const { actor, context } = call;
    const kept = new Map(wanted.map((record) => [record.userId, record.role]));
    const gone = [...before.members.entries()].map(([userId]) => userId).filter((userId) => !kept.has(userId));
    const apply = async (command: ConstructorParameters<typeof ApplyToRoomCommand>[1]) =>
      accepted(await commands.execute(new ApplyToRoomCommand(roomId, command, context)));
    let last = await apply({ type: 'ChangeRoom', actor });
    for (const [userId, role] of kept) {
      const member = before.members.get(userId);
      if (!member) {
        const add = { type: 'AddMember', actor, userId, role } as const;
        last = accepted(await commands.execute(new AddMemberCommand(roomId, add, context)));
      } else if (member.role !== role) last = await apply({ type: 'ChangeMemberRole', actor, userId, role });
    }
    for (const userId of gone) last = await apply({ type: 'RemoveMember', actor, userId, reason: null });
    return last;
  }

  private async written(
    call: UserCall,
    roomId: string,
    { state, position }: { readonly state: RoomState; readonly position: bigint },
    status: number,
  ): Promise<Answer> {
    const { objectIds, listing, readYourWrites } = this.parts;
    await readYourWrites.written(position, call.reply);
    const listed = (await listing.of([roomId])).get(roomId);
    return { status, body: await documentOfState(objectIds, roomId, state, listed) };
  }
}

const changeable = new Set(['name', 'is_open', 'is_visible', 'members']);
const sets = (names: readonly string[]): boolean => names.includes('is_open') || names.includes('is_visible');

/** A name in its stored form. Refusals by native rules look like makechat's validation errors. */
function nameOf(name: unknown): string {
  if (typeof name !== 'string') throw notValid('Room', 'name', 'StringField only accepts string values');
  const normal = normalize(name);
  if (normal === '') throw notValid('Room', 'name', 'Field is required');
  if (codePoints(normal) > limits.roomName) throw notValid('Room', 'name', 'String value is too long');
  return normal;
}

function flag(fields: Readonly<Record<string, unknown>>, name: 'is_open' | 'is_visible'): boolean | undefined {
  const value = fieldOf(fields, name);
  if (value !== undefined && typeof value !== 'boolean')
    throw notValid('Room', name, 'BooleanField only accepts boolean values');
  return value;
}

export const notFound = (id: string): Refused => occurred(`Not found room with id ${id.slice(0, 28)}`);

const duplicate = (name: string): Refused =>
  occurred(`Tried to save duplicate unique keys (E11000 duplicate key error index: name_1 dup key: { : "${name}" })`);
