import { dateOf, type LogFormat, type ParsedLine, type Rule, readBy, reasons, secondsOf } from './log-format.js';

/** What many programs write before lines about channel events. */
const mark = String.raw`(?:\*{1,3}|-!-|-->|<--|--|=+)\s+`;
const host = String.raw`(?: [([][^\])]*[\])])*`;

const rules: readonly Rule[] = [
  { kind: 'message', pattern: /^<(?<nick>[^>]+)>[\t ]?(?<text>.*)$/s },
  { kind: 'join', pattern: new RegExp(`^${mark}Joins: (?<nick>\\S+)`) },
  { kind: 'join', pattern: new RegExp(`^${mark}(?<nick>\\S+)${host} (?:has )?joined(?: [#&]\\S*)?$`) },
  { kind: 'leave', pattern: new RegExp(`^${mark}(?:Parts|Quits): (?<nick>\\S+)`) },
  {
    kind: 'leave',
    pattern: new RegExp(`^${mark}(?<nick>\\S+)${host} (?:has )?(?:left|quit)(?: [#&]\\S*| IRC)?(?: [[(].*)?$`, 's'),
  },
  { kind: 'kick', pattern: new RegExp(`^${mark}(?<nick>\\S+) was kicked(?: (?:off|from) \\S+)? (?<text>by .*)$`, 's') },
  { kind: 'rename', pattern: new RegExp(`^${mark}(?<nick>\\S+) is now known as (?<newNick>\\S+)$`) },
  { skipped: reasons.modes, pattern: new RegExp(`^${mark}(?:\\S+ sets mode|mode/)`, 'i') },
  { skipped: reasons.topic, pattern: new RegExp(`^${mark}.*\\btopic\\b`, 'is') },
  { kind: 'action', pattern: /^ ?\* (?<nick>\S+) ?(?<text>.*)$/s },
  { skipped: reasons.client, pattern: new RegExp(`^${mark}`) },
  { skipped: reasons.notice, pattern: /^-\S+- / },
];

/** A time before `<nick> text`, with or without brackets and date. */
const stampPattern =
  /^\[?(?:(\d{4})[-/](\d\d)[-/](\d\d)[T ])?(\d\d?):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?(?: ?([ap]m))?\]?[\t ]/i;

/** Any program that writes a time and `<nick> text`. */
export const plain: LogFormat = {
  name: 'plain',
  example: '[06:53:11] <nick> text',
  parse(line): ParsedLine {
    const parts = stampPattern.exec(line);
    const [stamped = '', year, month, day, hours = '', minutes = '', rest, zone, half] = parts ?? [];
    const seconds = secondsOf(hours, minutes, rest, half);
    const date = year ? dateOf(Number(year), Number(month), Number(day)) : undefined;
    if (parts === null || seconds === null || date === null) return { stamp: null, says: null, sign: false };
    const stamp = { ...(date && { date }), seconds, ...(zone && { offset: offsetOf(zone) }) };
    return { stamp, ...readBy(rules, line.slice(stamped.length)) };
  },
};

/** Minutes ahead of UTC. */
function offsetOf(zone: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0));
}
