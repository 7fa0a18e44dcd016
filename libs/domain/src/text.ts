/** Limits of what people write, in Unicode code points after NFC. */
export const limits = {
  messageText: 8_000,
  roomName: 80,
  roomTopic: 500,
  displayName: 80,
  reason: 500,
  emoji: 16,
  tokenName: 80,
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

/** The form under which names are compared: two names with the same key count as the same name. */
export const nameKey = (name: string): string => normalize(normalize(name).trim().toLowerCase());

/**
 * A 53-bit fingerprint that tells whether two contents are the same. It guards nothing against an attacker, who could
 * only mistake his own message for his own message, so it is quick rather than strong: two FNV-1a hashes
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
