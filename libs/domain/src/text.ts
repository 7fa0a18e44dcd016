import { shownFormats } from './unicode-data.js';

/** Limits of texts, in Unicode code points after NFC. */
export const limits = {
  messageText: 8_000,
  roomName: 80,
  roomTopic: 500,
  displayName: 80,
  reason: 500,
  emoji: 16,
  tokenName: 80,
  announcement: 500,
} as const;

/** Brings text to the one form that is stored and compared: Unicode normalization form C. */
export const normalize = (text: string): string => text.normalize('NFC');

/** Number of Unicode code points. */
export function codePoints(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xdc00 || unit > 0xdfff) count++;
  }
  return count;
}

/** What is wrong with a text as a part of a sentence, or null: NUL, lone surrogates, too short or too long. */
export function textProblem(text: string, min: number, max: number): string | null {
  if (text.includes('\u0000')) return 'must not contain the NUL character';
  if (!text.isWellFormed()) return 'must not contain lone surrogates';
  const length = text.length > max || text.length < min * 2 ? codePoints(text) : min;
  if (length < min) return min === 1 ? 'must not be empty' : `must have at least ${min} characters`;
  if (length > max) return `must have at most ${max} characters`;
  return null;
}

/**
 * What is wrong with a text that people are meant to see, as a part of a sentence, or null. Beyond what `textProblem`
 * refuses, it must show something. An empty text is not blank: `min` decides whether it is allowed.
 */
export function visibleTextProblem(text: string, min: number, max: number): string | null {
  return textProblem(text, min, max) ?? (text !== '' && isBlank(text) ? 'must not be blank' : null);
}

/**
 * Whether a text shows nothing: it has only spaces, controls, characters that Unicode says to ignore when they cannot be
 * displayed, combining marks that have no character to sit on, and characters that are drawn as nothing. Unassigned and
 * private-use characters are shown, if only as a box: an emoji newer than this process is one.
 */
export const isBlank = (text: string): boolean => !visible.test(text);

/** Characters that are drawn as nothing, although no Unicode property says so. */
export const emptyGlyphs = [
  '\\u2800', // Braille pattern blank
  '\\ufffc', // object replacement character
  '\\u{13441}\\u{13442}', // Egyptian hieroglyph full blank, half blank
  '\\u{16fe4}', // Khitan small script filler
  '\\u{1d159}', // musical symbol null notehead
].join('');

const visible = new RegExp(
  `[^\\p{White_Space}\\p{Cc}\\p{Cf}\\p{M}\\p{Default_Ignorable_Code_Point}\\p{Noncharacter_Code_Point}${emptyGlyphs}]|[${shownFormats}]`,
  'u',
);

/**
 * A 53-bit fingerprint to compare two contents. It need not resist attackers, who
 * could only confuse their own messages, so it is fast rather than strong: two FNV-1a hashes
 * (draft-eastlake-fnv) of the UTF-16 units with different offsets, joined.
 */
export function fingerprint(content: string): number {
  let high = 0x811c9dc5;
  let low = 0x050c5d1f;
  for (let i = 0; i < content.length; i++) {
    const unit = content.charCodeAt(i);
    high = Math.imul(high ^ unit, 0x01000193);
    low = Math.imul(low ^ unit ^ (i & 0xff), 0x01000193);
  }
  return (high & 0x1fffff) * 0x1_0000_0000 + (low >>> 0);
}
