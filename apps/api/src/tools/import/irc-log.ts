import type { LogFact } from './formats/log-format.js';
import { formats, knownFormats, recognizeFormat } from './formats/recognize.js';
import { type ClockSettings, timesOf } from './log-clock.js';
import { decodeLog, linesOf } from './log-encoding.js';

/** The content of one line of a log. `line` counts from 1; `at` is RFC 3339, UTC. */
export type LogEntry = { readonly line: number; readonly at: string } & LogFact;

/** A line that is skipped, and why: part of a sentence. */
export interface SkippedLine {
  readonly line: number;
  readonly skipped: string;
}

/** A parsed log: one item for each line, in order. */
export interface IrcLog {
  readonly format: string;
  readonly encoding: string;
  readonly lines: readonly (LogEntry | SkippedLine)[];
}

export interface ReadingSettings extends ClockSettings {
  /** Name of the format; undefined: recognized from the lines. */
  readonly format?: string | undefined;
  /** Encoding of lines that are not UTF-8. */
  readonly encoding?: string | undefined;
}

/** Why a log of times without days cannot be read. */
export const noDate =
  'Neither the log nor its name holds a date; give the day on which it begins with --date YYYY-MM-DD.';

/** Parses the log of an IRC channel, or returns sentences that say why it cannot be read. */
export function readIrcLog(
  bytes: Uint8Array,
  { format: chosen, encoding: other, ...clock }: ReadingSettings,
): IrcLog | string {
  const { text, encoding } = decodeLog(bytes, other);
  const lines = linesOf(text).map(withoutFormatting);
  const format = chosen === undefined ? recognizeFormat(lines) : formats.find(({ name }) => name === chosen);
  if (format === undefined) return `There is no format ${chosen}. ${knownFormats}`;
  if (typeof format === 'string') return format;

  const parsed = lines.map((line) => format.parse(line));
  const times = timesOf(
    parsed.map(({ stamp }) => stamp),
    clock,
  );
  const items = parsed.map(({ says }, index): LogEntry | SkippedLine => {
    const line = index + 1;
    if (lines[index]?.trim() === '') return { line, skipped: 'an empty line' };
    if (says === null || typeof says === 'string') return { line, skipped: says ?? 'a line in an unknown form' };
    return { line, at: times?.[index] ?? '', ...says };
  });
  if (!items.some((item) => 'at' in item)) return `As a log of ${format.name} it has nothing to import.`;
  if (times === null) return noDate;
  return { format: format.name, encoding, lines: items };
}

/**
 * A line without the formatting codes of IRC clients for colours, bold and so on, which are not part of the text. All other
 * control characters stay. The codes are those of https://modern.ircdocs.horse/formatting.
 */
const withoutFormatting = (line: string): string => line.replace(formattingCodes, '');

const hex = '[0-9A-Fa-f]{6}';
const formattingCodes = new RegExp(
  `\\u0003(?:\\d{1,2}(?:,\\d{1,2})?)?|\\u0004(?:${hex}(?:,${hex})?)?|[\\u0002\\u000f\\u0011\\u0016\\u001d\\u001e\\u001f]`,
  'g',
);
