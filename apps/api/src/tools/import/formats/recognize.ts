import { hexchat } from './hexchat.js';
import { irssi } from './irssi.js';
import type { LogFormat } from './log-format.js';
import { mirc } from './mirc.js';
import { plain } from './plain.js';
import { ubuntu } from './ubuntu.js';
import { weechat } from './weechat.js';
import { znc } from './znc.js';

/** All formats. If a log reads the same in several of them, the first is used. */
export const formats: readonly LogFormat[] = [ubuntu, znc, irssi, weechat, hexchat, mirc, plain];

/** Non-empty lines to examine first. */
const SAMPLE_LINES = 200;

/**
 * The format of a log, recognized from its first lines, or from all lines if those fit several formats. Returns a sentence
 * if no format knows at least half of the lines, or if formats that fit equally well read them differently.
 */
export function recognizeFormat(lines: readonly string[]): LogFormat | string {
  const written = lines.filter((line) => line.trim() !== '');
  if (written.length === 0) return 'It is empty.';
  const best = bestOf(formats, written.slice(0, SAMPLE_LINES));
  if (best.length === 0) return `Its format is unknown. ${knownFormats}`;
  const [first, ...others] = best.length === 1 ? best : bestOf(best, written);
  if (first === undefined) return `Its format is unknown. ${knownFormats}`;
  const rival = others.find((other) => !readTheSame(first, other, written));
  if (rival === undefined) return first;
  return `It may be a log of ${first.name} or of ${rival.name}. Choose one with --format.`;
}

/** The formats, listed for operators. */
export const knownFormats = `Known are: ${formats.map(({ name, example }) => `${name} (${example})`).join('; ')}.`;

/**
 * The formats that fit best: lines that only this format writes count most, then imported lines, then known lines. Formats that
 * know less than half of the lines are left out.
 */
function bestOf(candidates: readonly LogFormat[], lines: readonly string[]): readonly LogFormat[] {
  const scores = candidates.map((format) => scoreOf(format, lines));
  const most = Math.max(...scores);
  return most === 0 ? [] : candidates.filter((_, i) => scores[i] === most);
}

function scoreOf({ parse }: LogFormat, lines: readonly string[]): number {
  let known = 0;
  let score = 0;
  let recognized = false;
  for (const line of lines) {
    const { stamp, says, sign } = parse(line);
    if (stamp !== null || sign) recognized = true;
    if (says === null) continue;
    known++;
    score += (typeof says === 'string' ? 1 : 2) + (sign ? 2 : 0);
  }
  return recognized && known * 2 >= lines.length ? score : 0;
}

const readTheSame = (one: LogFormat, other: LogFormat, lines: readonly string[]): boolean =>
  lines.every((line) => {
    const [first, second] = [one.parse(line), other.parse(line)];
    return sameParts(first.stamp, second.stamp) && sameParts(first.says, second.says);
  });

function sameParts(one: object | string | null | undefined, other: object | string | null | undefined): boolean {
  if (one === other) return true;
  // Cheaper than a generic deep comparison: a log may have millions of lines. Parts are numbers, strings, and a date.
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  const [parts, others] = [Object.entries(one), new Map(Object.entries(other))];
  return parts.length === others.size && parts.every(([name, value]) => sameParts(value, others.get(name)));
}
