import { dateOf, type LogFormat, type ParsedLine, type Rule, readBy, reasons, secondsOf } from './log-format.js';

/** Applied to the nickname or symbol, the tab, and the text. */
const rules: readonly Rule[] = [
  { kind: 'join', pattern: /^-->\t(?<nick>\S+) .*has joined \S+/s },
  { kind: 'kick', pattern: /^<--\t(?<by>\S+) has kicked (?<nick>\S+)(?: \((?<reason>.*)\))?$/s },
  { kind: 'leave', pattern: /^<--\t(?<nick>\S+) (?:.* )?has (?:left|quit)(?: |$)/s },
  { kind: 'rename', pattern: /^--\t(?<nick>\S+) is now known as (?<newNick>\S+)$/ },
  { skipped: reasons.modes, pattern: /^--\tmode /i },
  { skipped: reasons.notice, pattern: /^--\tNotice\(/ },
  { skipped: reasons.topic, pattern: /^--\t.*\btopic\b/is },
  { skipped: reasons.client, pattern: /^(?:--|-->|<--|=!=|)\t/ },
  { kind: 'action', pattern: /^ ?\*\t(?<nick>\S+) ?(?<text>.*)$/s },
  { kind: 'message', pattern: /^<?(?<nick>[^\t<>]+)>?\t(?<text>.*)$/s },
];

/** WeeChat: date and time, nickname, and text, separated by tabs. */
export const weechat: LogFormat = {
  name: 'weechat',
  example: '2005-09-26 06:53:11<tab>nick<tab>text',
  parse(line): ParsedLine {
    const parts = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.\d+)?\t/.exec(line);
    const [stamped = '', year, month, day, hours = '', minutes = '', rest] = parts ?? [];
    const date = dateOf(Number(year), Number(month), Number(day));
    const seconds = secondsOf(hours, minutes, rest);
    if (parts === null || date === null || seconds === null) return { stamp: null, says: null, sign: false };
    const { says } = readBy(rules, line.slice(stamped.length));
    return { stamp: { date, seconds }, says, sign: says !== null };
  },
};
