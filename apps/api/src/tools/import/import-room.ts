import { type Actor, isRejection, nameKey, type RoomState } from '@verbatim/domain';
import { CreateRoomCommand, CreateRoomHandler } from '../../application/rooms/room-commands.js';
import { derivedId } from '../../derived-id.js';
import { newId } from '../../new-id.js';
import type { Tools } from '../tools.js';
import type { ImportAccounts } from './import-accounts.js';
import type { NicknameAccount } from './nickname-account.js';
import { answered, ImportStopped, patiently } from './patience.js';

/** The owner of rooms created by imports: an account without a way to sign in. */
const importerAccount: NicknameAccount = {
  userId: derivedId('importer'),
  username: `importer-${derivedId('importer').slice(-12)}`,
  displayName: 'Importer',
};
/** Creates the account that owns imported rooms. */
export const openImporter = (accounts: ImportAccounts, occurredAt: string | undefined): Promise<void> =>
  accounts.open(importerAccount, occurredAt);

export const importer: Actor = { id: importerAccount.userId, role: 'user' };

/** Finds the room of this name, or creates it as of `occurredAt`. Returns its id. */
export async function openImportRoom(
  tools: Tools,
  accounts: ImportAccounts,
  name: string,
  occurredAt: string | undefined,
): Promise<string> {
  const { roomId, state } = await findRoom(tools, name);
  if (state.status === 'open') return checked(roomId, state);

  await openImporter(accounts, occurredAt);
  const settings = { name, topic: '', visibility: 'public', history: 'full', password: null } as const;
  const context = { correlation: newId(), ...(occurredAt && { occurredAt }) };
  const command = new CreateRoomCommand(roomId, { actor: importer, ...settings }, context);
  const handler = new CreateRoomHandler(tools.rooms, tools.names, tools.passwords);
  const opened = await patiently(async () => answered(await handler.execute(command)));
  if (isRejection(opened)) throw new ImportStopped(`The room “${name}” cannot be created: ${opened.detail}`);
  return roomId;
}

/**
 * The open room of this name, or one still to be created. The id of the latter derives from the name, so that the next
 * attempt continues an interrupted one. Earlier imported rooms of the name have other numbers.
 */
async function findRoom({ rooms, names }: Tools, name: string): Promise<{ roomId: string; state: RoomState }> {
  const key = nameKey(name);
  const holder = await names.ownerOf('room', key);
  if (holder !== null) {
    const { state } = await rooms.newest(holder);
    if (state.status === 'open') return { roomId: holder, state };
  }
  for (let number = 1; ; number++) {
    const roomId = derivedId('imported room', key, `${number}`);
    const { state } = await rooms.newest(roomId);
    const open = state.status === 'open' && nameKey(state.name ?? '') === key;
    if (open || state.status === 'unborn') return { roomId, state };
  }
}

/**
 * The room of this name or id that an import created, open or closed; if there are several, the open one or else the
 * latest; null if there is none.
 */
export async function findImportRoom(
  { rooms, names }: Tools,
  nameOrId: string,
): Promise<{ roomId: string; state: RoomState } | null> {
  const key = nameKey(nameOrId);
  const holder = isId(nameOrId) ? nameOrId.toLowerCase() : await names.ownerOf('room', key);
  if (holder !== null) {
    const { state } = await rooms.newest(holder);
    if (state.status === 'open' || (isId(nameOrId) && state.status === 'closed')) return { roomId: holder, state };
  }
  let found: { roomId: string; state: RoomState } | null = null;
  for (let number = 1; ; number++) {
    const roomId = derivedId('imported room', key, `${number}`);
    const { state } = await rooms.newest(roomId);
    if (state.status === 'unborn') return found;
    if (state.status === 'open' || found?.state.status !== 'open') {
      if (state.status !== 'abandoned' && nameKey(state.name ?? '') === key) found = { roomId, state };
    }
  }
}

const isId = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

/** Rooms that no import created are left alone. */
function checked(roomId: string, { name, createdBy, visibility, passwordId }: RoomState): string {
  if (createdBy !== importer.id) {
    throw new ImportStopped(`The room “${name}” was not created by an import. Choose another name with --room.`);
  }
  if (visibility !== 'public' || passwordId !== null) {
    throw new ImportStopped(`The room “${name}” is no longer public, so no one could join it.`);
  }
  return roomId;
}

export const memberIds = ({ members }: RoomState): ReadonlySet<string> =>
  new Set([...members.entries()].map(([userId]) => userId));
