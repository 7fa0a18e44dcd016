import {
  type LogFormat,
  type ParsedLine,
  type Rule,
  readBy,
  reasons,
  secondsOf,
  stampInHeading,
} from './log-format.js';

const rules: readonly Rule[] = [
  { kind: 'message', pattern: /^<(?<nick>[^>]+)> ?(?<text>.*)$/s },
  { kind: 'join', sign: true, pattern: /^\*{1,3} (?<nick>\S+) \([^)]*\) has joined \S+/ },
  { kind: 'join', sign: true, pattern: /^\* Joins: (?<nick>\S+)/ },
  { kind: 'join', sign: true, pattern: /^\*{1,3} (?<nick>\S+) has joined [#&]\S*$/ },
  { kind: 'leave', sign: true, pattern: /^\*{1,3} (?<nick>\S+) \([^)]*\) (?:has left|has quit|Quit)(?: |$)/ },
  { kind: 'leave', sign: true, pattern: /^\* (?:Parts|Quits): (?<nick>\S+)/ },
  { kind: 'leave', sign: true, pattern: /^\*{1,3} (?<nick>\S+) has (?:left [#&]\S*(?: \(.*\))?|quit IRC.*)$/s },
  { kind: 'kick', sign: true, pattern: /^\*{1,3} (?<nick>\S+) was kicked (?<text>by .*)$/s },
  { kind: 'rename', sign: true, pattern: /^\*{1,3} (?<nick>\S+) is now known as (?<newNick>\S+)$/ },
  { skipped: reasons.modes, sign: true, pattern: /^\*{1,3} \S+ sets mode/ },
  { skipped: reasons.topic, sign: true, pattern: /^\*{1,3} (?:\S+ changes topic|Topic is |Set by )/ },
  {
    ...{ skipped: reasons.client, sign: true },
    pattern:
      /^\*{1,3} (?:Now talking in|Disconnected|Attempting to |Rejoined |Retrieving |You (?:were|are|have) |Connect|#)/,
  },
  { skipped: reasons.notice, pattern: /^-\S+- / },
  { kind: 'action', pattern: /^\* (?<nick>\S+) ?(?<text>.*)$/s },
];

/** mIRC and similar clients. The day is in the headings. */
export const mirc: LogFormat = {
  name: 'mirc',
  example: '[06:53] * nick (user@host) has joined #channel',
  parse(line): ParsedLine {
    if (/^Session (?:Start|Time|Close|Ident|End): /.test(line))
      return { stamp: stampInHeading(line), says: reasons.log, sign: true };
    const parts = /^\[(\d\d?):(\d\d)(?::(\d\d))? ?([ap]m)?\] /i.exec(line);
    const [stamped = '', hours = '', minutes = '', rest, half] = parts ?? [];
    const seconds = secondsOf(hours, minutes, rest, half);
    if (parts === null || seconds === null) return { stamp: null, says: null, sign: false };
    return { stamp: { seconds }, ...readBy(rules, line.slice(stamped.length)) };
  },
};
