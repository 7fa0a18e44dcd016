import { isRejection, type RoomCommand } from '@verbatim/domain';
import { AccountOpener } from '../../application/accounts/account-opener.js';
import {
  ChangeRoomCommand,
  ChangeRoomHandler,
  CloseRoomCommand,
  CloseRoomHandler,
} from '../../application/rooms/room-commands.js';
import { WebhookBots } from '../../application/webhooks/webhook-bots.js';
import { newId } from '../../new-id.js';
import { Credentials } from '../../storage/vault/credentials.js';
import { WebhookBotLedger } from '../../storage/vault/webhook-bots.js';
import type { Tools } from '../tools.js';
import { digestOf, type ImportedFile, type ImportHistory, importHistory } from './import-history.js';
import { findImportRoom, importer } from './import-room.js';
import { answered, ImportStopped, PATIENCE_MS, patiently } from './patience.js';
import { readersSee } from './readers.js';

export interface UndoOptions {
  /** Name or id of the room. */
  readonly room: string;
  /** SHA-256 digests of the files in hexadecimal, or prefixes of them; undefined: everything that was imported. */
  readonly files?: readonly string[] | undefined;
  /** Only reports what would be done. */
  readonly dryRun: boolean;
}

export interface UndoReport {
  readonly roomId: string;
  readonly roomName: string;
  readonly files: readonly { readonly digest: string; readonly messages: number; readonly begins: string }[];
  /** Messages that this call redacted, or would. */
  readonly redacted: number;
  /** `closed`: nobody else had used the room, so it was closed and hidden. */
  readonly room: 'closed' | 'kept' | 'closed before';
  readonly visible: boolean;
}

/** The reason given for the redactions. */
const REASON = 'The import was undone.';

/** The importer, who owns the rooms, with the rights of an operator. */
const undoer = { id: importer.id, role: 'admin' } as const;

/**
 * Undoes imports into a room: redacts the messages, and removes members who have nothing else in it. If everything is undone and
 * nobody else has posted there, the room is closed and hidden. The same call completes an interrupted undo, and changes nothing
 * after that. Throws ImportStopped when it cannot start or continue.
 */
export async function undoImport(
  tools: Tools,
  options: UndoOptions,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<UndoReport> {
  const roomId = await roomToClear(tools, options.room);
  let history = await importHistory(tools, roomId);
  const chosen = (now: ImportHistory) => filesToUndo(now, options.files);
  const files = chosen(history).map(({ source, messages, begins }) => ({ digest: digestOf(source), messages, begins }));
  const about = { roomId, roomName: history.state.name ?? '', files };
  const ends = options.files === undefined && history.state.status === 'open' && ownNothingElse(history);
  const room = history.state.status === 'closed' ? 'closed before' : ends ? 'closed' : 'kept';
  const standing = (now: ImportHistory) => chosen(now).flatMap((file) => [...file.standing.keys()]);
  if (options.dryRun) return { ...about, redacted: standing(history).length, room, visible: true };

  let redacted = 0;
  const clear = async () => {
    for (let left = standing(history); left.length > 0; left = standing(history)) {
      redacted += await redact(tools, roomId, left, onProgress);
      history = await importHistory(tools, roomId);
    }
  };
  await clear();
  if (ends) {
    await end(tools, roomId);
    // An import that was running cannot add to a closed room, but may have added until then.
    history = await importHistory(tools, roomId);
    await clear();
  } else if (room === 'kept') await leave(tools, roomId, history, chosen(history));
  return { ...about, redacted, room, visible: await readersSee(tools, roomId) };
}

async function roomToClear(tools: Tools, nameOrId: string): Promise<string> {
  const found = await patiently(() => findImportRoom(tools, nameOrId));
  if (found === null) throw new ImportStopped(`There is no imported room “${nameOrId}”.`);
  if (found.state.createdBy === importer.id) return found.roomId;
  throw new ImportStopped(`The room “${nameOrId}” was not created by an import.`);
}

/** Throws ImportStopped when the room has nothing of one of the named files. */
function filesToUndo({ files }: ImportHistory, wanted: readonly string[] | undefined): ImportedFile[] {
  const all = [...files.values()];
  if (wanted === undefined) return all;
  const matches = (file: ImportedFile, digest: string) => digestOf(file.source).startsWith(digest);
  for (const digest of wanted) {
    const digests = new Set(all.filter((file) => matches(file, digest)).map(({ source }) => digestOf(source)));
    if (digests.size > 1) throw new ImportStopped(`${digest} is the beginning of several digests; write more of it.`);
    if (digests.size === 1) continue;
    const known = [...new Set(all.map(({ source }) => digestOf(source)))].map((each) => `  ${each}`).join('\n');
    throw new ImportStopped(`The room has nothing from the file ${digest}. It has these files (SHA-256):\n${known}`);
  }
  return all.filter((file) => wanted.some((digest) => matches(file, digest)));
}

/** Whether only imports have used the room. */
const ownNothingElse = ({ otherMessages, state }: ImportHistory): boolean =>
  otherMessages === 0 && Object.keys(state.webhooks).length + Object.keys(state.incomingWebhooks).length === 0;

/** Commands sent together. */
const BATCH = 100;

/** Returns the number of messages that this call redacted. */
async function redact(
  tools: Tools,
  roomId: string,
  messageIds: readonly string[],
  onProgress: (done: number, total: number) => void,
): Promise<number> {
  let events = 0;
  for (let next = 0; next < messageIds.length; next += BATCH) {
    const commands = messageIds.slice(next, next + BATCH).map((messageId): RoomCommand => {
      return { type: 'RedactMessage', actor: undoer, messageId, reason: REASON };
    });
    events += await sendAll(tools, roomId, commands);
    onProgress(Math.min(next + BATCH, messageIds.length), messageIds.length);
  }
  return events;
}

/** Removes members who joined through the undone files and have no message of other files in the room. */
async function leave(
  tools: Tools,
  roomId: string,
  { files, state }: ImportHistory,
  undone: readonly ImportedFile[],
): Promise<void> {
  const authors = new Set([...files.values()].flatMap(({ standing }) => [...standing.values()]));
  const gone = undone.flatMap(({ brought }) => [...brought]).filter((id) => !authors.has(id) && state.members.has(id));
  const commands = [...new Set(gone)].map((userId): RoomCommand => {
    return { type: 'RemoveMember', actor: undoer, userId, reason: REASON };
  });
  for (let next = 0; next < commands.length; next += BATCH)
    await sendAll(tools, roomId, commands.slice(next, next + BATCH));
}

/** Sends repeatable commands until the outcome of each is known. Returns the number of events. */
async function sendAll(
  { rooms, readModels }: Tools,
  roomId: string,
  commands: readonly RoomCommand[],
): Promise<number> {
  const correlation = newId();
  let events = 0;
  let left = commands;
  await patiently(async () => {
    const { position } = await rooms.newest(roomId);
    // The room looks up messages in the read models that it no longer remembers.
    if (!(await readModels.reached(position, PATIENCE_MS)))
      throw new ImportStopped('The read models are too far behind.');
    const outcomes = await Promise.allSettled(
      left.map(async (command) => answered(await rooms.send(roomId, command, { correlation }))),
    );
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') continue;
      if (!isRejection(outcome.value)) events += outcome.value.events;
      // The member has already left.
      else if (outcome.value.rejected !== 'NotFound')
        throw new ImportStopped(`The room refused: ${outcome.value.detail}`);
    }
    left = left.filter((_, i) => outcomes[i]?.status === 'rejected');
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
  });
  return events;
}

/** Hides the room and closes it for good. Its name becomes free. */
async function end(tools: Tools, roomId: string): Promise<void> {
  const { rooms, names, passwords, users, sql, readModels, time } = tools;
  const hiding = new ChangeRoomHandler(rooms, names, passwords);
  const hidden = await patiently(async () => {
    const options = { visibility: 'hidden' } as const;
    return answered(await hiding.execute(new ChangeRoomCommand(roomId, undoer, options, { correlation: newId() })));
  });
  const accounts = new AccountOpener(users, names, new Credentials(sql, time.now));
  const bots = new WebhookBots(users, accounts, await WebhookBotLedger.open(sql, time.now), readModels, time);
  const closing = new CloseRoomHandler(rooms, names, passwords, bots);
  const reason = 'What was imported into this room was undone.';
  const closed = isRejection(hidden)
    ? hidden
    : await patiently(async () =>
        answered(await closing.execute(new CloseRoomCommand(roomId, undoer, reason, { correlation: newId() }))),
      );
  if (isRejection(closed)) throw new ImportStopped(`The room cannot be closed: ${closed.detail}`);
}
