import {
  dateOf,
  type LogFormat,
  monthNumber,
  type ParsedLine,
  type Rule,
  readBy,
  reasons,
  secondsOf,
  stampInHeading,
} from './log-format.js';

const rules: readonly Rule[] = [
  { kind: 'message', pattern: /^<(?<nick>[^>]+)>[\t ]?(?<text>.*)$/s },
  { kind: 'join', pattern: /^(?:\*|-->)[\t ](?<nick>\S+)(?: \([^)]*\))? has joined(?: \S+)?$/ },
  {
    kind: 'leave',
    pattern: /^(?:\*|<--)[\t ](?<nick>\S+)(?: \([^)]*\))? has (?:left|quit)(?: [#&]\S*)?(?: \(.*\))?$/s,
  },
  { kind: 'kick', pattern: /^(?:\*|<--)[\t ](?<by>\S+) has kicked (?<nick>\S+) from \S+(?: \((?<reason>.*)\))?$/s },
  { kind: 'rename', pattern: /^(?:\*|---)[\t ](?<nick>\S+) is now known as (?<newNick>\S+)$/ },
  { skipped: reasons.modes, pattern: /^(?:\*|---)[\t ]\S+ (?:gives|removes) (?:channel|voice|half|admin|owner)/ },
  {
    skipped: reasons.modes,
    pattern: /^(?:\*|---)[\t ]\S+ (?:sets mode|sets (?:a )?(?:ban|exempt|invite)|removes (?:ban|exempt|invite))/,
  },
  { skipped: reasons.topic, pattern: /^(?:\*|---)[\t ](?:Topic for |\S+ has changed the topic)/ },
  {
    skipped: reasons.client,
    pattern: /^\*[\t ](?:Now talking on|Disconnected|You are now|You have |Loaded|Looking up|Connect|#)/,
  },
  { skipped: reasons.client, pattern: /^(?:-->|<--|---|\*\*\*)[\t ]/ },
  { skipped: reasons.notice, pattern: /^-[^\t ]+-[\t ]/ },
  { kind: 'action', pattern: /^\*[\t ](?<nick>\S+) ?(?<text>.*)$/s },
];

/** HexChat and XChat. The year is only in the headings. */
export const hexchat: LogFormat = {
  name: 'hexchat',
  example: 'Sep 26 06:53:11 <nick><tab>text',
  parse(line): ParsedLine {
    if (line.startsWith('**** ')) return { stamp: stampInHeading(line), says: reasons.log, sign: true };
    const parts = /^(\S+) {1,2}(\d\d?) (\d\d):(\d\d)(?::(\d\d))? /.exec(line);
    const [stamped = '', name = '', day, hours = '', minutes = '', rest] = parts ?? [];
    const month = parts && monthNumber(name);
    const date = month ? dateOf(undefined, month, Number(day)) : null;
    const seconds = secondsOf(hours, minutes, rest);
    if (date === null || seconds === null) return { stamp: null, says: null, sign: false };
    const { says } = readBy(rules, line.slice(stamped.length));
    return { stamp: { date, seconds }, says, sign: says !== null };
  },
};
