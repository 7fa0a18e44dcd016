import { type LogFormat, type ParsedLine, type Rule, readBy, reasons, secondsOf } from './log-format.js';

/**
 * A nickname outside of angle brackets. Some of these logs write a space after each closing bracket in it, as in `oO[NOVA] Oo`;
 * only the rest of the line shows whether such a space belongs to the nickname.
 */
const nick = String.raw`(?:[^ \]:#&/]|\] ?)+`;
const host = String.raw`(?: \[[^\]]*\])?`;
const channel = String.raw`[#&]\S*`;

/** Lines about channel events; older logs write actions like this. */
const announcements: readonly Rule[] = [
  { kind: 'join', sign: true, pattern: new RegExp(`^=== (?<nick>${nick})${host} {1,2}has joined(?: ${channel})?$`) },
  {
    ...{ kind: 'leave', sign: true },
    pattern: new RegExp(`^=== (?<nick>${nick})${host} {1,2}has (?:left|quit)(?: ${channel}| IRC)?(?: [[(].*)?$`, 's'),
  },
  { kind: 'rename', sign: true, pattern: new RegExp(`^=== (?<nick>${nick}) is now known as (?<newNick>${nick})$`) },
  {
    ...{ kind: 'kick', sign: true },
    pattern: new RegExp(`^=== (?<nick>${nick}) was kicked (?:off|from) ${channel} (?<text>.*)$`, 's'),
  },
  { skipped: reasons.modes, sign: true, pattern: /^=== mode\/\S+ \[/ },
  { skipped: reasons.topic, sign: true, pattern: /^=== (?:topic\b|.* changed the topic\b)/i },
  { kind: 'action', pattern: new RegExp(`^=== (?<nick>${nick}) (?<text>.*)$`, 's') },
];

const spoken: readonly Rule[] = [
  { kind: 'message', pattern: /^<(?<nick>[^>]+)> ?(?<text>.*)$/s },
  { kind: 'action', pattern: /^ ?\* (?<nick>\S+) ?(?<text>.*)$/s },
];

/** Logs of irclogs.ubuntu.com, old and new. Only messages have a time, in hours and minutes. */
export const ubuntu: LogFormat = {
  name: 'ubuntu',
  example: '[06:53] <nick> text',
  parse(line): ParsedLine {
    if (line.startsWith('===')) return { stamp: null, ...readBy(announcements, line) };
    const [stamped, hours, minutes] = /^\[(\d\d):(\d\d)\]/.exec(line) ?? [];
    const seconds = hours && minutes ? secondsOf(hours, minutes) : null;
    if (stamped === undefined || seconds === null) return { stamp: null, says: null, sign: false };
    const content = line.slice(stamped.length);
    const says = content.startsWith(' ') ? readBy(spoken, content.slice(1)) : { says: null, sign: false };
    return { stamp: { seconds }, ...says };
  },
};
