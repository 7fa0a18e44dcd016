import { type LogFormat, type ParsedLine, type Rule, readBy, reasons, secondsOf } from './log-format.js';

const rules: readonly Rule[] = [
  { kind: 'message', pattern: /^<(?<nick>[^>]+)> ?(?<text>.*)$/s },
  { kind: 'join', sign: true, pattern: /^\*\*\* Joins: (?<nick>\S+)/ },
  { kind: 'leave', sign: true, pattern: /^\*\*\* (?:Parts|Quits): (?<nick>\S+)/ },
  { kind: 'rename', sign: true, pattern: /^\*\*\* (?<nick>\S+) is now known as (?<newNick>\S+)$/ },
  { kind: 'kick', sign: true, pattern: /^\*\*\* (?<nick>\S+) was kicked (?<text>by .*)$/s },
  { skipped: reasons.modes, sign: true, pattern: /^\*\*\* \S+ sets mode/ },
  { skipped: reasons.topic, sign: true, pattern: /^\*\*\* .*\btopic\b/i },
  { skipped: reasons.client, pattern: /^\*\*\* (?!\S+ (?:\([^)]*\) )?has (?:joined|left|quit))/ },
  { skipped: reasons.notice, pattern: /^-\S+- / },
  { kind: 'action', pattern: /^\* (?<nick>\S+) ?(?<text>.*)$/s },
];

/** ZNC's module `log`, one file for each day. */
export const znc: LogFormat = {
  name: 'znc',
  example: '[06:53:11] *** Joins: nick (user@host)',
  parse(line): ParsedLine {
    const parts = /^\[(\d\d):(\d\d)(?::(\d\d))?\] /.exec(line);
    const [stamped = '', hours = '', minutes = '', rest] = parts ?? [];
    const seconds = secondsOf(hours, minutes, rest);
    if (parts === null || seconds === null) return { stamp: null, says: null, sign: false };
    return { stamp: { seconds }, ...readBy(rules, line.slice(stamped.length)) };
  },
};
