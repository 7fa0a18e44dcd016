import { normalize } from '@verbatim/domain';
import type { Stamp } from '../log-clock.js';

/** The content of one line of a log. Texts are in Unicode form NFC. */
export type LogFact =
  | { readonly kind: 'message' | 'action'; readonly nick: string; readonly text: string }
  | { readonly kind: 'join' | 'leave'; readonly nick: string }
  /** `text` is what the log says about the kick: `by someone (for a reason)`. */
  | { readonly kind: 'kick'; readonly nick: string; readonly text: string }
  | { readonly kind: 'rename'; readonly nick: string; readonly newNick: string };

/** A line, parsed by the rules of a format. */
export interface ParsedLine {
  /** Null if the line has no time. */
  readonly stamp: Stamp | null;
  /** Its content, or why it is skipped (part of a sentence); null if the format has no such line. */
  readonly says: LogFact | string | null;
  /** Whether only this format writes such lines. */
  readonly sign: boolean;
}

/** The log format of a program. */
export interface LogFormat {
  /** The name for `--format`. */
  readonly name: string;
  /** An example line, for display. */
  readonly example: string;
  parse(line: string): ParsedLine;
}

/**
 * One kind of line. `pattern` names its parts: `nick`, `text`, `newNick`, and for kicks `by` and `reason` if there is no
 * `text`. Lines that are `skipped` have nothing to import.
 */
export type Rule = { readonly pattern: RegExp; readonly sign?: boolean } & (
  | { readonly kind: LogFact['kind'] }
  | { readonly skipped: string }
);

export const reasons = {
  modes: 'a change of modes',
  topic: 'a line about the topic',
  notice: 'a notice',
  client: 'a line of the IRC client',
  log: 'a line about the log',
} as const;

/** The first rule that a line without its timestamp matches. */
export function readBy(rules: readonly Rule[], content: string): Omit<ParsedLine, 'stamp'> {
  for (const rule of rules) {
    const match = rule.pattern.exec(content);
    if (match === null) continue;
    const says = 'skipped' in rule ? rule.skipped : factOf(rule.kind, match.groups ?? {});
    if (says !== null) return { says, sign: rule.sign ?? false };
  }
  return { says: null, sign: false };
}

function factOf(kind: LogFact['kind'], parts: Record<string, string | undefined>): LogFact | string | null {
  const nick = bareNick(parts.nick ?? '');
  if (nick === '') return null;
  const text = normalize(parts.text ?? '');
  switch (kind) {
    case 'message':
    case 'action':
      return text === '' ? `an empty ${kind}` : { kind, nick, text };
    case 'kick':
      return { kind, nick, text: text || `by ${parts.by}${parts.reason ? ` (${normalize(parts.reason)})` : ''}` };
    case 'rename':
      return { kind, nick, newNick: bareNick(parts.newNick ?? '') };
    default:
      return { kind, nick };
  }
}

/**
 * A nickname without the rank prefix, or the space for none, that logs write before it. No nickname begins with one of
 * these (RFC 2812, section 2.3.1).
 */
const bareNick = (nick: string): string => normalize(nick.replace(/^[ ~&@%+!]+(?=[^ ])/, ''));

/** Seconds since midnight, or null for an impossible time. `half`: am or pm. */
export function secondsOf(hours: string, minutes: string, seconds = '0', half?: string): number | null {
  const h = Number(hours);
  const m = Number(minutes);
  const s = Number(seconds);
  if (m > 59 || s > 60) return null;
  if (!half) return h > 23 ? null : (h * 60 + m) * 60 + Math.min(s, 59);
  if (h < 1 || h > 12) return null;
  return (((h % 12) + (/^p/i.test(half) ? 12 : 0)) * 60 + m) * 60 + Math.min(s, 59);
}

/** A day, or null for one that does not exist. */
export function dateOf(year: number | undefined, month: number, day: number): NonNullable<Stamp['date']> | null {
  const date = new Date(Date.UTC(year ?? 2000, month - 1, day));
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  return year === undefined ? { month, day } : { year, month, day };
}

/** The timestamp of a heading such as `Mon Sep 26 06:53:11 2005`, `Tue Sep 27 2005` or `2005-09-26 06:53:11`. */
export function stampInHeading(text: string): Stamp | null {
  const [, hours, minutes, seconds] = /(\d\d):(\d\d)(?::(\d\d))?/.exec(text) ?? [];
  const time = hours && minutes ? secondsOf(hours, minutes, seconds) : null;
  const [, isoYear, isoMonth, isoDay] = /(\d{4})-(\d\d)-(\d\d)/.exec(text) ?? [];
  const [year] = /(?<![\d:])\d{4}(?![\d:-])/.exec(text) ?? [];
  const day = text.match(/(?<![\d:])\d\d?(?![\d:])/g)?.at(0);
  // The last such word: `mar` before it may be a Tuesday, as in `mar. 27 sept. 2005`.
  const month = text
    .split(/[\s,]+/)
    .map(monthNumber)
    .filter((number) => number !== undefined)
    .at(-1);
  const date = isoYear
    ? dateOf(Number(isoYear), Number(isoMonth), Number(isoDay))
    : year && month && day
      ? dateOf(Number(year), month, Number(day))
      : null;
  return date && { date, ...(time !== null && { seconds: time }) };
}

/** Languages of month names in headings: programs write them in their user's language. */
const languages =
  'en de fr es it pt nl sv da nb fi pl cs sk hu ro hr sl lt lv et tr el ru uk bg sr zh ja ko ar he fa hi th vi id'.split(
    ' ',
  );
let months: Map<string, number> | undefined;

/** 1 to 12 for a month's name, long or short, in one of the languages. */
export function monthNumber(name: string): number | undefined {
  months ??= namesOfMonths();
  return months.get(plainWord(name));
}

function namesOfMonths(): Map<string, number> {
  const names = new Map<string, number>();
  for (const language of languages) {
    for (const style of ['short', 'long'] as const) {
      const format = new Intl.DateTimeFormat(`${language}-u-ca-gregory-nu-latn`, {
        ...{ month: style, day: 'numeric', timeZone: 'UTC' },
      });
      for (let month = 1; month <= 12; month++) {
        const part = format.formatToParts(Date.UTC(2005, month - 1, 1)).find(({ type }) => type === 'month');
        // The same word can mean different months, like `lis` in Polish and Croatian: the language listed first wins.
        const word = plainWord(part?.value ?? '');
        if (word !== '' && !/^\d+$/.test(word) && !names.has(word)) names.set(word, month);
      }
    }
  }
  return names;
}

const plainWord = (word: string): string =>
  word
    .normalize('NFKD')
    .replace(/[\p{M}.]/gu, '')
    .toLowerCase();
