import { isRejection, type RoomState, type UserState } from '@verbatim/domain';
import { AccountOpener } from '../../../application/accounts/account-opener.js';
import { FIRST_ADMINISTRATOR } from '../../../application/accounts/first-administrator.js';
import { CreateRoomCommand, CreateRoomHandler } from '../../../application/rooms/room-commands.js';
import { PasswordResetIssuer } from '../../../application/sessions/password-reset-issuer.js';
import { newId } from '../../../new-id.js';
import { Credentials } from '../../../storage/vault/credentials.js';
import type { Tools } from '../../tools.js';
import { deliver } from '../delivery.js';
import { ImportAccounts } from '../import-accounts.js';
import { importer, openImporter } from '../import-room.js';
import { answered, ImportStopped, patiently } from '../patience.js';
import { readersSee } from '../readers.js';
import type { Skipped } from './dump.js';
import type { DumpPlan, PlannedAccount, PlannedRoom } from './dump-plan.js';

/** What an import has added; what already existed does not count. */
export interface DumpReport {
  readonly accounts: number;
  readonly rooms: number;
  readonly messages: number;
  readonly skipped: readonly Skipped[];
  /** Accounts that had to be renamed. */
  readonly renamed: readonly { readonly from: string; readonly to: string }[];
  /** Whether readers could see everything by then. */
  readonly visible: boolean;
}

/** A token for choosing a password. */
export interface ResetLink {
  readonly username: string;
  readonly email: string | null;
  readonly token: string;
}

const operator = { id: FIRST_ADMINISTRATOR, role: 'admin' } as const;

/**
 * Imports a dump: accounts, rooms, members and messages, each once, with their ids and times. Calling it again completes an
 * interrupted import, and otherwise changes nothing.
 */
export async function importDump(tools: Tools, plan: DumpPlan): Promise<DumpReport> {
  const importing = new DumpImport(tools);
  for (const account of plan.accounts) await importing.account(account);
  for (const { objectId, userId, role } of plan.records)
    await tools.objectIds.keep('member', objectId, `${userId} ${role}`);
  let last: string | null = null;
  for (const room of plan.rooms) if (await importing.room(room)) last = room.roomId;
  // Last, because suspended people cannot post.
  for (const account of plan.accounts) if (account.isSuspended) await importing.suspend(account);
  const visible = last === null || (await readersSee(tools, last));
  const { accounts, rooms, messages, renamed } = importing;
  return { accounts, rooms, messages, renamed, skipped: [...plan.skipped, ...importing.skipped], visible };
}

/** Reset tokens for the accounts that cannot be signed in to yet. Each replaces an earlier one. */
export async function resetLinks({ users, sql, time }: Tools, plan: DumpPlan): Promise<ResetLink[]> {
  const credentials = new Credentials(sql, time.now);
  const issuer = new PasswordResetIssuer(users, credentials);
  const links: ResetLink[] = [];
  for (const { userId } of plan.accounts) {
    const { state } = await users.newest(userId);
    if (state.status !== 'active' || (await credentials.has(userId))) continue;
    const issued = await issuer.issue(userId, operator, { correlation: newId() });
    if (!isRejection(issued)) links.push({ username: state.username, email: state.email, token: issued.token });
  }
  return links;
}

class DumpImport {
  accounts = 0;
  rooms = 0;
  messages = 0;
  readonly skipped: Skipped[] = [];
  readonly renamed: { from: string; to: string }[] = [];
  private readonly correlation = newId();
  private readonly opener: AccountOpener;
  private readonly opened: ImportAccounts;

  constructor(private readonly tools: Tools) {
    const { users, names, sql, time } = tools;
    this.opener = new AccountOpener(users, names, new Credentials(sql, time.now));
    this.opened = new ImportAccounts(tools);
  }

  async account(account: PlannedAccount): Promise<void> {
    const { users, objectIds } = this.tools;
    await objectIds.keep('user', account.objectId, account.userId);
    const { state } = await patiently(() => users.newest(account.userId));
    if (state.status !== 'unborn') return this.noteName(account, state);
    const { displayName, email, isAdmin, created } = account;
    const role = isAdmin ? 'admin' : 'user';
    for (const username of new Set([account.username, account.otherUsername])) {
      const opening = { username, displayName, email, role, origin: 'import', password: null } as const;
      const opened = await patiently(async () =>
        answered(await this.opener.open(account.userId, opening, this.contextAt(created))),
      );
      if (!isRejection(opened)) {
        this.accounts += 1;
        return this.noteName(account, opened.state);
      }
      if (opened.rejected !== 'NameTaken')
        throw new ImportStopped(`The account of ${displayName} cannot be created: ${opened.detail}`);
    }
    throw new ImportStopped(`The account of ${displayName} cannot be created: its name is taken.`);
  }

  /** Returns whether the room has anything from the dump. */
  async room(room: PlannedRoom): Promise<boolean> {
    const { rooms } = this.tools;
    const { state } = await patiently(() => rooms.newest(room.roomId));
    if (state.status === 'unborn' && !(await this.create(room))) return false;
    const before = await patiently(() => rooms.newest(room.roomId));
    if (before.state.status !== 'open') return true;
    const joined = await this.deliver(room, before.state, room.joins);
    if (joined > 0) await this.giveRoles(room);
    this.messages += await this.deliver(room, before.state, room.posts);
    return true;
  }

  async suspend({ userId }: PlannedAccount): Promise<void> {
    const change = { type: 'ChangeUser', actor: operator, userId, suspended: true, othersRemain: true } as const;
    const { state } = await this.tools.users.newest(userId);
    // Somebody who was let in again after an earlier import stays.
    if (state.status !== 'active' || state.shutOutAt >= 0) return;
    await patiently(async () => answered(await this.tools.users.send(userId, change, this.contextAt(null))));
  }

  private noteName({ displayName, username }: PlannedAccount, state: UserState): void {
    if (state.username !== username || username !== displayName.toLowerCase())
      this.renamed.push({ from: displayName, to: state.username });
  }

  private async create(room: PlannedRoom): Promise<boolean> {
    const { rooms, names, passwords, objectIds, roomListing } = this.tools;
    const context = this.contextAt(room.created);
    if (room.pair) {
      const [id, peerId] = room.pair;
      const open = { type: 'CreateDirectRoom', actor: { id, role: 'user' }, peerId } as const;
      await patiently(async () => answered(await rooms.send(room.roomId, open, context)));
      return true;
    }
    if (room.ownerId === null) await openImporter(this.opened, room.created);
    const actor = room.ownerId === null ? importer : ({ id: room.ownerId, role: 'user' } as const);
    const { isVisible, isOpen, name } = room;
    const visibility = isVisible ? (isOpen ? 'public' : 'private') : 'hidden';
    const handler = new CreateRoomHandler(rooms, names, passwords);
    for (const free of [name, `${name.slice(0, 60)} (${room.roomId.slice(-12)})`]) {
      const settings = { name: free, topic: '', visibility, history: 'full', password: null } as const;
      const command = new CreateRoomCommand(room.roomId, { actor, ...settings }, context);
      const created = await patiently(async () => answered(await handler.execute(command)));
      if (isRejection(created) && created.rejected === 'NameTaken') continue;
      if (isRejection(created)) throw new ImportStopped(`The room “${free}” cannot be created: ${created.detail}`);
      await objectIds.keep('room', room.objectId, room.roomId);
      await roomListing.set(room.roomId, { open: isOpen, listed: isVisible && !isOpen });
      this.rooms += 1;
      if (free !== name) this.renamed.push({ from: name, to: free });
      return true;
    }
    this.skipped.push({ what: `room “${name}”`, why: 'its name is taken' });
    return false;
  }

  private async deliver(room: PlannedRoom, { imports }: RoomState, steps: PlannedRoom['posts']): Promise<number> {
    const due = steps.filter(({ place, command }) => {
      const file = 'imported' in command ? command.imported?.file : undefined;
      return place > (imports[file ?? ''] ?? -1);
    });
    const { events, refused } = await deliver(this.tools, room.roomId, due, () => undefined);
    for (const { line, reason } of refused) this.skipped.push({ what: `“${room.name}”, ${line}`, why: reason });
    return events;
  }

  private async giveRoles({ roomId, roles, ownerId }: PlannedRoom): Promise<void> {
    const actor = { id: ownerId ?? importer.id, role: 'user' } as const;
    for (const [userId, role] of roles) {
      const change = { type: 'ChangeMemberRole', actor, userId, role } as const;
      await patiently(async () => answered(await this.tools.rooms.send(roomId, change, this.contextAt(null))));
    }
  }

  private contextAt(occurredAt: string | null) {
    return { correlation: this.correlation, ...(occurredAt && { occurredAt }) };
  }
}
