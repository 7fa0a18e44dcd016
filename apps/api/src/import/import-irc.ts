import type { Foundation } from '../foundation.js';
import { type Delivery, deliver } from './delivery.js';
import { ImportAccounts } from './import-accounts.js';
import { type ImportPlan, type LogFile, planImport } from './import-plan.js';
import { importer, memberIds, membersBeforeImports, openImportRoom } from './import-room.js';

export interface ImportWishes {
  /** Imported in this order. */
  readonly files: readonly LogFile[];
  /** Name of the room, which is made if there is none. */
  readonly room: string;
}

export interface ImportProgress {
  readonly file: string;
  /** Lines dealt with so far and all lines, over all files. */
  readonly done: number;
  readonly total: number;
}

export interface ImportReport {
  readonly roomId: string;
  readonly files: readonly FileReport[];
}

/** What a file comes to, and what this import had to do for it: nothing, if an earlier one had taken it all. */
export interface FileReport extends Pick<ImportPlan, 'taken' | 'skipped'>, Delivery {
  readonly name: string;
  /** Number of lines. */
  readonly lines: number;
}

/**
 * Brings log files into a room, by the same commands as everybody's, each with the time of its line. The room takes every
 * line once: the same call completes an import that was cut short at any point, and changes nothing after that; two at
 * once share the work. Throws ImportStopped when the import cannot begin or go on.
 */
export async function importIrc(
  foundation: Foundation,
  { files, room }: ImportWishes,
  onProgress: (progress: ImportProgress) => void = () => undefined,
): Promise<ImportReport> {
  const accounts = new ImportAccounts(foundation);
  const roomId = await openImportRoom(foundation, accounts, room, firstTime(files));
  const membersBefore = await membersBeforeImports(foundation, roomId);
  const total = files.reduce((sum, { lines }) => sum + lines.length, 0);
  const reports: FileReport[] = [];
  let done = 0;
  for (const file of files) {
    const tell = (line: number) => onProgress({ file: file.name, done: done + line, total });
    tell(0);
    const { state } = await foundation.rooms.newest(roomId);
    // Counted from the same members, a file leads to the same steps every time.
    const members = membersBefore.get(file.digest) ?? memberIds(state);
    membersBefore.set(file.digest, members);
    const { steps, taken, skipped } = planImport(file, members, importer);
    const due = steps.filter(({ place }) => place > (state.imports[file.digest] ?? -1));
    await accounts.openFor(due);
    const delivery = await deliver(foundation, roomId, due, tell);
    reports.push({ name: file.name, lines: file.lines.length, taken, skipped, ...delivery });
    tell(file.lines.length);
    done += file.lines.length;
  }
  return { roomId, files: reports };
}

/** The beginning of a room that is made for these files. */
const firstTime = (files: readonly LogFile[]): string | undefined =>
  files.flatMap(({ lines }) => lines).find((line) => 'at' in line)?.at;
