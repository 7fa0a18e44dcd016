import {
  dateOf,
  type LogFormat,
  type ParsedLine,
  type Rule,
  readBy,
  reasons,
  secondsOf,
  stampInHeading,
} from './log-format.js';

const details = String.raw`(?: \[[^\]]*\])*`;

const rules: readonly Rule[] = [
  { kind: 'message', pattern: /^<(?<nick>[^>]+)> ?(?<text>.*)$/s },
  { kind: 'action', pattern: /^ \* (?<nick>\S+) ?(?<text>.*)$/s },
  { kind: 'join', sign: true, pattern: new RegExp(`^-!- (?<nick>\\S+)${details} has joined \\S+`) },
  { kind: 'leave', sign: true, pattern: new RegExp(`^-!- (?<nick>\\S+)${details} has (?:left|quit)(?: |$)`) },
  { kind: 'kick', sign: true, pattern: /^-!- (?<nick>\S+) was kicked from \S+ (?<text>by .*)$/s },
  { kind: 'rename', sign: true, pattern: /^-!- (?<nick>\S+) is now known as (?<newNick>\S+)$/ },
  { skipped: reasons.modes, sign: true, pattern: /^-!- (?:server)?mode\//i },
  { skipped: reasons.topic, sign: true, pattern: /^-!- .*\btopic\b/i },
  { skipped: reasons.client, sign: true, pattern: /^-!- / },
  { skipped: reasons.notice, pattern: /^-\S+- / },
];

/** irssi. The day is in separate lines. */
export const irssi: LogFormat = {
  name: 'irssi',
  example: '06:53 <@nick> text',
  parse(line): ParsedLine {
    if (/^--- (?:Log (?:opened|closed)|Day changed) /.test(line))
      return { stamp: stampInHeading(line), says: reasons.log, sign: true };
    const parts = /^(?:(\d{4})-(\d\d)-(\d\d)[T ])?(\[?)(\d\d):(\d\d)(?::(\d\d))?(\]?) /.exec(line);
    const [stamped = '', year, month, day, open, hours = '', minutes = '', rest, close] = parts ?? [];
    const seconds = secondsOf(hours, minutes, rest);
    if (parts === null || seconds === null || (open === '') !== (close === ''))
      return { stamp: null, says: null, sign: false };
    const date = year ? dateOf(Number(year), Number(month), Number(day)) : null;
    return { stamp: { ...(date && { date }), seconds }, ...readBy(rules, line.slice(stamped.length)) };
  },
};
