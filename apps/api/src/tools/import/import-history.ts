import { type RoomEvent, type RoomState, room, roomStream } from '@verbatim/domain';
import type { Tools } from '../tools.js';
import { importer, memberIds } from './import-room.js';

/** What a room has imported from a file. */
export interface ImportedFile {
  /** The source named in its events. */
  readonly source: string;
  /** Ids of the members before the first line was imported. */
  readonly membersBefore: ReadonlySet<string>;
  /** Time of the first imported line, RFC 3339. */
  readonly begins: string;
  messages: number;
  /** Messages redacted by `import undo`. */
  undone: number;
  /** Ids of unredacted messages, with the ids of their authors. */
  readonly standing: Map<string, string>;
  /** Ids of members who joined through the file and are still members. */
  readonly brought: Set<string>;
}

/** Everything that a room has from imports, according to its own events. */
export interface ImportHistory {
  readonly state: RoomState;
  /** By source, in the order of import. */
  readonly files: ReadonlyMap<string, ImportedFile>;
  /** Messages that did not come from an import. */
  readonly otherMessages: number;
}

/** Events read at a time. */
const PAGE = 500;

export async function importHistory({ openLog }: Tools, roomId: string): Promise<ImportHistory> {
  const files = new Map<string, ImportedFile>();
  const fileOf = new Map<string, ImportedFile>();
  let otherMessages = 0;
  let state = room.initialState;
  for (let full = true; full; ) {
    const page = await openLog.read(roomStream(roomId), state.revision + 1n, PAGE);
    for (const event of page as unknown as RoomEvent[]) {
      note(event);
      state = room.evolve(state, event);
    }
    full = page.length === PAGE;
  }
  return { state, files, otherMessages };

  function note(event: RoomEvent): void {
    const source = 'imported' in event.data ? event.data.imported?.file : undefined;
    const file = source === undefined ? undefined : fileNamed(source, event);
    if (event.type === 'MessagePosted') {
      if (!file) otherMessages++;
      else {
        file.messages++;
        file.standing.set(event.data.messageId, event.actor ?? '');
        fileOf.set(event.data.messageId, file);
      }
    }
    if (event.type === 'MessageRedacted') {
      const from = fileOf.get(event.data.messageId);
      if (from?.standing.delete(event.data.messageId) && event.actor === importer.id) from.undone++;
    }
    if (event.type === 'MemberJoined') file?.brought.add(event.data.userId);
    if (event.type === 'MemberLeft' || event.type === 'MemberRemoved')
      for (const each of files.values()) each.brought.delete(event.data.userId);
  }

  function fileNamed(source: string, { at, occurredAt = at }: RoomEvent): ImportedFile {
    const known = files.get(source);
    if (known) return known;
    const counts = { messages: 0, undone: 0, standing: new Map(), brought: new Set<string>() };
    const file = { source, membersBefore: memberIds(state), begins: occurredAt, ...counts };
    files.set(source, file);
    return file;
  }
}

/** The digest of a source's file. From the second import of a file on, the source also has a number. */
export const digestOf = (source: string): string => source.replace(/\+\d+$/, '');

/**
 * The source to name in the events of an import of this file: the one that the room has, so that the import continues where
 * it stopped, or a new one if that was undone; null while an undo is incomplete.
 */
export function sourceFor(digest: string, { files }: ImportHistory): string | null {
  const earlier = [...files.values()].filter(({ source }) => digestOf(source) === digest);
  const latest = earlier.at(-1);
  if (!latest) return digest;
  if (latest.undone === 0) return latest.source;
  return latest.standing.size > 0 ? null : `${digest}+${earlier.length + 1}`;
}
