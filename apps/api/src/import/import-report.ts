import type { FileReport, ImportReport } from './import-irc.js';

/** Lines not taken that the summary lists. */
const LISTED = 40;

/** What came of an import, for people: a line for each file, and the lines that were not taken. */
export function summary(report: ImportReport): string {
  const notTaken = linesNotTaken(report);
  const events = report.files.reduce((sum, file) => sum + file.events, 0);
  const more = notTaken.length - LISTED;
  return [
    ...report.files.map(describeFile),
    '',
    notTaken.length === 0 ? 'Every line was taken.' : `Not taken (${notTaken.length}):`,
    ...notTaken.slice(0, LISTED).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${more} more; --report <file> writes all of them down`] : []),
    '',
    `The room is ${report.roomId}.`,
    events === 0 ? 'It had all of this already; nothing was changed.' : `It has ${events} new events.`,
    '',
  ].join('\n');
}

/** Each line of the files of which nothing was made, with its reason: `2005-09-26.txt:838  a change of modes`. */
export const linesNotTaken = ({ files }: ImportReport): string[] =>
  files.flatMap(({ name, skipped, refused }) =>
    [
      ...skipped.map(({ line, skipped: reason }) => ({ line, reason })),
      ...refused.map(({ line, reason }) => ({ line, reason: `refused: ${reason}` })),
    ]
      .sort((a, b) => a.line - b.line)
      .map(({ line, reason }) => `${name}:${line}  ${reason}`),
  );

function describeFile({ name, lines, taken, skipped, refused }: FileReport): string {
  const counts = [
    `${taken.message} messages`,
    `${taken.action} actions`,
    `${taken.join} joins`,
    `${taken.leave} leaves`,
    `${taken.rename} renames`,
    ...(taken.kick > 0 ? [`${taken.kick} kicks`] : []),
    `${skipped.length} skipped`,
    ...(refused.length > 0 ? [`${refused.length} refused`] : []),
  ];
  return `${name}  ${lines} lines: ${counts.join(', ')}`;
}
