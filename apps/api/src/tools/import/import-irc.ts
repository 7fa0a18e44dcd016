import type { Tools } from '../tools.js';
import { type Delivery, deliver } from './delivery.js';
import { ImportAccounts } from './import-accounts.js';
import { importHistory, sourceFor } from './import-history.js';
import { type ImportPlan, type LogFile, planImport, type Step } from './import-plan.js';
import { importer, memberIds, openImportRoom } from './import-room.js';
import { ImportStopped } from './patience.js';
import { readersSee } from './readers.js';

export interface ImportOptions {
  /** Imported in this order. */
  readonly files: readonly LogFile[];
  /** Name of the room. It is created if it does not exist. */
  readonly room: string;
}

export interface ImportProgress {
  readonly file: string;
  /** Lines already handled and in total, of all files. */
  readonly done: number;
  readonly total: number;
}

/** The result of an import. */
export interface Forecast {
  readonly files: readonly FileReport[];
  /** Nicknames in all files. */
  readonly people: number;
}

export interface ImportReport extends Forecast {
  readonly roomId: string;
  /** Whether readers could see everything by then. */
  readonly visible: boolean;
}

/** The result for one file. An earlier import may have left nothing to do. */
export interface FileReport extends Pick<ImportPlan, 'taken' | 'skipped'>, Delivery {
  readonly name: string;
  readonly format: string;
  readonly encoding: string;
  /** Number of lines. */
  readonly lines: number;
  /** Earliest and latest time of its lines, RFC 3339. */
  readonly from: string;
  readonly to: string;
}

/**
 * Imports log files into a room, with ordinary commands, each with the time of its line. The room stores each line once:
 * calling it again completes an interrupted import and otherwise changes nothing; two concurrent calls share the work.
 * Resolves when readers see what was imported. Throws ImportStopped when the import cannot start or continue.
 */
export async function importIrc(
  tools: Tools,
  { files, room }: ImportOptions,
  onProgress: (progress: ImportProgress) => void = () => undefined,
): Promise<ImportReport> {
  const accounts = new ImportAccounts(tools);
  const roomId = await openImportRoom(tools, accounts, room, firstTime(files));
  const history = await importHistory(tools, roomId);
  const membersBefore = new Map([...history.files].map(([source, file]) => [source, file.membersBefore]));
  const total = files.reduce((sum, { lines }) => sum + lines.length, 0);
  const reports: FileReport[] = [];
  const people = new Set<string>();
  let done = 0;
  for (const file of files) {
    const report = (line: number) => onProgress({ file: file.name, done: done + line, total });
    report(0);
    const source = sourceFor(file.digest, history);
    if (source === null)
      throw new ImportStopped(
        `${file.name} was imported, and undoing it has begun. Complete that with import undo first.`,
      );
    const { state } = await tools.rooms.newest(roomId);
    // Starting from the same members, a file always leads to the same steps.
    const members = membersBefore.get(source) ?? memberIds(state);
    membersBefore.set(source, members);
    const plan = planImport(file, members, importer, source);
    const due = plan.steps.filter(({ place }) => place > (state.imports[source] ?? -1));
    await accounts.openFor(due);
    reports.push(reportOn(file, plan, await deliver(tools, roomId, due, report)));
    notePeople(people, plan.steps);
    report(file.lines.length);
    done += file.lines.length;
  }
  return { roomId, files: reports, people: people.size, visible: await readersSee(tools, roomId) };
}

/** The result that an import into an empty room would have. Needs no database. */
export function previewImport({ files }: ImportOptions): Forecast {
  const people = new Set<string>();
  let members: ReadonlySet<string> = new Set();
  const reports = files.map((file) => {
    const plan = planImport(file, members, importer);
    members = plan.members;
    notePeople(people, plan.steps);
    return reportOn(file, plan, { events: plan.steps.length, refused: [] });
  });
  return { files: reports, people: people.size };
}

function reportOn(file: LogFile, { taken, skipped }: ImportPlan, delivery: Delivery): FileReport {
  const { name, format, encoding } = file;
  const times = file.lines.flatMap((line) => ('at' in line ? [line.at] : []));
  const [from, to] = times.reduce(([min, max], at) => [at < min ? at : min, at > max ? at : max], [
    times[0] ?? '',
    times[0] ?? '',
  ] as [string, string]);
  return { name, format, encoding, lines: file.lines.length, from, to, taken, skipped, ...delivery };
}

function notePeople(people: Set<string>, steps: readonly Step[]): void {
  for (const { account } of steps) people.add(account.userId);
}

/** The creation time of a room created for these files. */
const firstTime = (files: readonly LogFile[]): string | undefined =>
  files.flatMap(({ lines }) => lines).find((line) => 'at' in line)?.at;
