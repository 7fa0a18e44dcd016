import type { FileReport, Forecast, ImportReport } from './import-irc.js';
import { READERS_PATIENCE_MS } from './readers.js';

/** The most skipped lines that the summary lists. */
const LISTED = 20;

/** The summary of an import into this room: what the files contained, and the lines that were skipped. */
export function summary(report: Forecast | ImportReport, room: string): string {
  const { files, people } = report;
  const notTaken = linesNotTaken(report);
  const more = notTaken.length - LISTED;
  return [
    ...files.flatMap((file) => [
      `${file.name}: ${describe([file])}`,
      `  format ${file.format}, ${file.encoding}, from ${file.from} to ${file.to}`,
    ]),
    ...(files.length > 1 ? [`Together: ${describe(files)}`] : []),
    '',
    ...(notTaken.length > 0 ? [`${count(notTaken.length, 'line')} not imported:`, ...reasons(files)] : []),
    ...notTaken.slice(0, LISTED).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${more} more; use --report <file> to list all`] : []),
    '',
    `${people} ${people === 1 ? 'person' : 'people'}.`,
    ...outcome(report, room),
    '',
  ].join('\n');
}

function outcome(report: Forecast | ImportReport, room: string): string[] {
  const events = report.files.reduce((sum, file) => sum + file.events, 0);
  if (!('roomId' in report)) {
    const into = `the room “${room}”, which would be created if there is no imported room of this name`;
    return [`Nothing was written. At most ${count(events, 'event')} would be added to ${into}.`];
  }
  return [
    events === 0
      ? 'The room had all of this already; nothing was changed.'
      : `The room has ${count(events, 'new event')}.`,
    `Its id is ${report.roomId}.`,
    ...(report.visible ? [] : [notVisible]),
  ];
}

/** Shown when readers did not see everything in time. */
export const notVisible = `Readers do not see all of it yet: the read models were still behind after ${READERS_PATIENCE_MS / 1000} s. They catch up by themselves.`;

/** Each skipped line with its reason, one per line: `2005-09-26.txt:838 a change of modes`. */
export const fullReport = (report: Forecast): string =>
  linesNotTaken(report)
    .map((line) => `${line}\n`)
    .join('');

const linesNotTaken = ({ files }: Forecast): string[] =>
  files.flatMap((file) => notTakenOf(file).map(({ line, reason }) => `${file.name}:${line} ${reason}`));

/** In the order of the lines. */
function notTakenOf({ skipped, refused }: FileReport): { readonly line: number; readonly reason: string }[] {
  const all = [
    ...skipped.map(({ line, skipped: reason }) => ({ line, reason })),
    ...refused.map(({ line, reason }) => ({ line, reason: `refused by the room: ${reason}` })),
  ];
  return all.sort((one, other) => one.line - other.line);
}

/** How often each reason occurred, the most frequent first. */
function reasons(files: readonly FileReport[]): string[] {
  const counts = new Map<string, number>();
  for (const { reason } of files.flatMap(notTakenOf)) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one).map(([reason, times]) => `  ${times} × ${reason}`);
}

function describe(files: readonly FileReport[]): string {
  const sum = (number: (file: FileReport) => number) => files.reduce((total, file) => total + number(file), 0);
  const kinds = (['message', 'action', 'join', 'leave', 'rename', 'kick'] as const).map((kind) => {
    return count(
      sum(({ taken }) => taken[kind]),
      kind,
    );
  });
  const refused = sum((file) => file.refused.length);
  const skipped = `${sum((file) => file.skipped.length)} skipped`;
  const all = [...kinds, skipped, ...(refused > 0 ? [`${refused} refused`] : [])];
  return `${count(
    sum(({ lines }) => lines),
    'line',
  )}: ${all.join(', ')}`;
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
