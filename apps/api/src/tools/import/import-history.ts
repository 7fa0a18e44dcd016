import { type RoomEvent, type RoomState, room, roomStream } from '@verbatim/domain';
import type { Tools } from '../tools.js';
import { importer, memberIds } from './import-room.js';

/** What a room has taken from a file. */
export interface ImportedFile {
  /** What its events name as their file. */
  readonly source: string;
  /** Who was in the room when it began to take the file; ids. */
  readonly membersBefore: ReadonlySet<string>;
  /** Time of the first line taken, RFC 3339. */
  readonly begins: string;
  messages: number;
  /** Messages that an undoing of the import has redacted. */
  undone: number;
  /** Messages that nobody has redacted, with their authors; ids. */
  readonly standing: Map<string, string>;
  /** Those whose membership came with the file and still lasts; ids. */
  readonly brought: Set<string>;
}

/** Everything that a room has from imports, told by its own events. */
export interface ImportHistory {
  readonly state: RoomState;
  /** By source, in the order in which they came. */
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

/** The file that a source stands for: its digest, after which a number is written from the second time on. */
export const digestOf = (source: string): string => source.replace(/\+\d+$/, '');

/**
 * What the events of an import of this file are to name as their file. It is the source that the room knows, so that an
 * import goes on where it was; after that was undone a new one; null while an undoing has begun and is not complete.
 */
export function sourceFor(digest: string, { files }: ImportHistory): string | null {
  const earlier = [...files.values()].filter(({ source }) => digestOf(source) === digest);
  const latest = earlier.at(-1);
  if (!latest) return digest;
  if (latest.undone === 0) return latest.source;
  return latest.standing.size > 0 ? null : `${digest}+${earlier.length + 1}`;
}
