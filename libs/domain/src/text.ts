/** Limits of what people write, in Unicode code points after NFC. */
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
 * What is wrong with a name that people see, as a part of a sentence, or null. Beyond what any text is refused for: what
 * nobody sees but which makes two names different or turns the writing around, spaces other than single ones between
 * words, and words that mix letters which look the same (Unicode Technical Standard 39 calls these mixed-script confusables).
 */
export function nameProblem(name: string, max: number): string | null {
  const problem = textProblem(name, 1, max);
  if (problem) return problem;
  if (unseen.test(name.replaceAll(joinedEmoji, ''))) return 'must not contain invisible or control characters';
  if (/^\s|\s$|\s\s|[^\S \u3000]/.test(name)) return 'must have single spaces only, and only between words';
  const mixes = name.match(/[\p{L}\p{M}]+/gu)?.some((word) => latin.test(word) && likeLatin.test(word));
  return mixes ? 'must not mix Latin with Cyrillic or Greek letters in one word' : null;
}

/** Controls of direction (U+202A and others) are among them; U+2800 is a Braille pattern without dots. */
const unseen = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u;
/** What makes one picture of several, or a picture of a sign, is seen. */
const joinedEmoji =
  /(?<=[\p{Emoji}\p{Emoji_Modifier}])\ufe0f|(?<=\p{Extended_Pictographic}[\ufe0f\p{Emoji_Modifier}]*)\u200d(?=\p{Extended_Pictographic})/gu;
const latin = /\p{Script=Latin}/u;
const likeLatin = /[\p{Script=Cyrillic}\p{Script=Greek}]/u;

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
