import { normalize } from '@verbatim/domain';

/** What one line of a log tells. `line` counts from 1; `at` is RFC 3339, UTC, to the minute. Texts are in form NFC. */
export type LogEntry = { readonly line: number; readonly at: string } & LogFact;

export type LogFact =
  | { readonly kind: 'message' | 'action'; readonly nick: string; readonly text: string }
  | { readonly kind: 'join' | 'leave'; readonly nick: string }
  /** `text` is what the log says of the kick: `by somebody (for a reason)`. */
  | { readonly kind: 'kick'; readonly nick: string; readonly text: string }
  | { readonly kind: 'rename'; readonly nick: string; readonly newNick: string };

/** A line that nothing is made of, and why: a part of a sentence. */
export interface SkippedLine {
  readonly line: number;
  readonly skipped: string;
}

/**
 * Reads the log of an IRC channel in the form of irclogs.ubuntu.com: one item for each line, in order.
 *
 * Only messages carry a time, hours and minutes. Other lines take the time of the line before, or at the beginning of
 * the log that of the first line that has one. `date` (YYYY-MM-DD) is the day of the first line; a clock that falls back
 * has passed midnight.
 */
export function readIrcLog(text: string, date: string): (LogEntry | SkippedLine)[] {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  if (lines.at(-1) === '') lines.pop();
  const clock = new LogClock(date, lines);
  return lines.map((content, index) => {
    const line = index + 1;
    const at = clock.at(content);
    const fact = readLine(content);
    return typeof fact === 'string' ? { line, skipped: fact } : { line, at, ...fact };
  });
}

/**
 * The text of a log file: UTF-8. What no text may hold, bytes that are not UTF-8 and NUL characters, becomes U+FFFD, the
 * replacement character; all other control characters stay.
 */
export const decodeLog = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8').decode(bytes).replaceAll('\u0000', '\ufffd');

// One line ------------------------------------------------------------------------------------------------------------

/**
 * How logs write a nickname outside of angle brackets. Some put a space after each closing bracket in it, as in
 * `oO[NOVA] Oo`; nothing but the rest of the line tells whether such a space belongs to the nickname.
 */
const nick = String.raw`((?:[^ \]:#&/]|\] ?)+)`;
const host = String.raw`(?: \[[^\]]*\])?`;
const channel = String.raw`[#&]\S*`;

const patterns = {
  message: /^\[\d\d:\d\d\] <([^>]+)> ?(.*)$/s,
  action: /^\[\d\d:\d\d\] {1,2}\* (\S+) ?(.*)$/s,
  join: new RegExp(`^=== ${nick}${host} {1,2}has joined(?: ${channel})?$`),
  leave: new RegExp(`^=== ${nick}${host} {1,2}has (?:left|quit)(?: ${channel}| IRC)?(?: [[(].*)?$`, 's'),
  kick: new RegExp(`^=== ${nick} was kicked (?:off|from) ${channel} (.*)$`, 's'),
  rename: new RegExp(`^=== ${nick} is now known as ${nick}$`),
  modes: /^=== mode\/\S+ \[/,
  topic: /^=== (?:topic\b|.* changed the topic\b)/i,
  announcedAction: new RegExp(`^=== ${nick} (.*)$`, 's'),
};

/** What a line tells, or why nothing is made of it. */
function readLine(line: string): LogFact | string {
  if (line.trim() === '') return 'an empty line';
  if (line.startsWith('===')) return readAnnouncement(line);
  if (minutesOf(line) === null) return unknownForm;
  return spoken('message', patterns.message.exec(line)) ?? spoken('action', patterns.action.exec(line)) ?? unknownForm;
}

/** Lines that begin with `===`, by which the channel tells what happens in it; older logs write actions like this. */
function readAnnouncement(line: string): LogFact | string {
  for (const kind of ['join', 'leave'] as const) {
    const [, nick] = patterns[kind].exec(line) ?? [];
    if (nick) return { kind, nick: normalize(nick) };
  }
  const [, renamed, newNick] = patterns.rename.exec(line) ?? [];
  if (renamed && newNick) return { kind: 'rename', nick: normalize(renamed), newNick: normalize(newNick) };
  const [, kicked, text = ''] = patterns.kick.exec(line) ?? [];
  if (kicked) return { kind: 'kick', nick: normalize(kicked), text: normalize(text) };
  if (patterns.modes.test(line)) return 'a change of modes';
  if (patterns.topic.test(line)) return 'a line about the topic';
  return spoken('action', patterns.announcedAction.exec(line)) ?? unknownForm;
}

function spoken(kind: 'message' | 'action', match: RegExpExecArray | null): LogFact | string | null {
  const [, nick, text] = match ?? [];
  if (!nick) return null;
  return text ? { kind, nick: normalize(nick), text: normalize(text) } : `an empty ${kind}`;
}

const unknownForm = 'a line of no known form';

// Times ---------------------------------------------------------------------------------------------------------------

/** A day in minutes. */
const DAY = 24 * 60;

/** Minutes since midnight, or null for a line without a time. */
function minutesOf(line: string): number | null {
  const [, hours, minutes] = /^\[([01]\d|2[0-3]):([0-5]\d)\]/.exec(line) ?? [];
  return hours === undefined ? null : Number(hours) * 60 + Number(minutes);
}

/** Goes along the lines of a log and tells their times. */
class LogClock {
  private midnight: number;
  private minutes: number;

  constructor(date: string, lines: readonly string[]) {
    this.midnight = Date.parse(`${date}T00:00:00.000Z`);
    this.minutes = lines.map(minutesOf).find((minutes) => minutes !== null) ?? 0;
  }

  at(line: string): string {
    const minutes = minutesOf(line);
    if (minutes !== null) {
      if (minutes < this.minutes) this.midnight += DAY * 60_000;
      this.minutes = minutes;
    }
    return new Date(this.midnight + this.minutes * 60_000).toISOString();
  }
}
