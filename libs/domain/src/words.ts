import { baseLetters } from './base-letters.js';

// How search splits texts and queries into words, in the same way for both.

/** A word in its compared form, and its place in the text. */
export interface Word {
  /** Letters, digits or an emoji; no spaces, and no ASCII punctuation but the `#` and `*` of keycap emoji. */
  readonly key: string;
  /** Whether it can continue: true for the last character of a script without spaces, and for an emoji. */
  readonly open: boolean;
  /** UTF-16 offsets. */
  readonly start: number;
  readonly end: number;
}

/** Code points after which a word is cut. No query is longer, and PostgreSQL allows words of 2,046 bytes. */
const LONGEST_WORD = 500;

/**
 * The form in which texts are compared: compatibility characters replaced, accents and invisible characters removed, letters
 * in full case folding, digits of all scripts as ASCII digits, and Latin letters with strokes, hooks or ligatures as the
 * letters that they are made of. Signs that are part of the spelling stay: vowel signs of Indic scripts, marks of kana.
 */
export function baseForm(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  return text
    .normalize('NFKD')
    .replace(ACCENTS, '')
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .replace(FOLDED_FURTHER, foldFurther)
    .normalize('NFC');
}

/**
 * The searchable form of a text: its words in order with single spaces around them; then, after another space
 * each, additional words: the parts of `fileName2`, and `e-mail` and `don't` without their marks.
 */
export function searchText(text: string): string {
  const plain = isAscii(text);
  let found = plain ? asciiWords(text) : wordsIn(text);
  eachCompound(text, plain, (parts) => {
    const words = parts.length === 1 ? (parts[0] ?? '') : parts.join(' ');
    found += plain ? ` ${words.toLowerCase()} ` : wordsIn(words);
  });
  if (found.length <= LONGEST_SEARCH_TEXT) return found;
  return found.slice(0, found.lastIndexOf(' ', LONGEST_SEARCH_TEXT) + 1);
}
/** UTF-16 units. As pairs of characters it still has less than the megabyte that PostgreSQL allows. */
const LONGEST_SEARCH_TEXT = 150_000;

const wordsIn = (text: string): string => (SIMPLE.test(text) ? simpleWords(text) : anyWords(text));

// These two give the same result as `anyWords`, faster.

function asciiWords(text: string): string {
  const words = ` ${text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .trim()} `;
  return words.length > LONGEST_WORD ? words.replace(/\S{501,}/g, cut) : words;
}

/** For a text without emoji, scripts without spaces and symbols that stand for letters. */
function simpleWords(text: string): string {
  const words = ` ${baseForm(text).replace(BETWEEN_WORDS, ' ').trim()} `;
  return words.length > LONGEST_WORD ? words.replace(/\S{501,}/g, cut) : words;
}

function anyWords(text: string): string {
  let words = ' ';
  eachWord(text, (key) => {
    words += `${key} `;
  });
  return words;
}

/** Called with the parts of a word, its start and its end. */
type Compound = (parts: readonly string[], start: number, end: number) => void;

/** Words of several parts, then words with apostrophes or hyphens, of which the only part is what is left without these. */
function eachCompound(text: string, plain: boolean, found: Compound): void {
  const has = plain ? hasInAscii : hasInAny;
  if (has.parts.test(text)) {
    let from = 0;
    for (const word of text.match(has.severalParts) ?? []) {
      const start = text.indexOf(word, from);
      from = start + word.length;
      found(word.split(has.between), start, from);
    }
  }
  if (has.marked.test(text)) {
    let from = 0;
    for (const words of text.match(has.marks) ?? []) {
      const start = text.indexOf(words, from);
      from = start + words.length;
      found([words.replace(has.mark, '')], start, from);
    }
  }
}
/** Called with a word: its key, whether its end is open, and its place in the folded piece of text. */
type Found = (key: string, open: boolean, piece: Piece, from: number, length: number) => void;

interface Piece {
  readonly text: string;
  /** UTF-16 offset in the whole text. */
  readonly start: number;
  readonly folded: string;
}

function eachWord(text: string, found: Found): void {
  for (const match of text.matchAll(PIECES)) {
    const [piece, emoji] = match;
    if (emoji === undefined) eachWordOf({ text: piece, start: match.index, folded: baseForm(piece) }, found);
    else {
      const key = cut(emoji.replace(/[\ufe0e\ufe0f]/g, ''));
      found(key, true, { text: emoji, start: match.index, folded: key }, 0, key.length);
    }
  }
}

/** The words of a piece without spaces: one, or more where scripts meet or compatibility characters stand for several. */
function eachWordOf(piece: Piece, found: Found): void {
  const { folded } = piece;
  if (!SPACELESS.test(folded)) {
    let any = false;
    for (const { 0: word, index } of folded.matchAll(WORDS)) {
      found(cut(word), false, piece, index, word.length);
      any = true;
    }
    // A letter that stands for nothing else, such as a filler, is itself.
    if (!any && /[\p{L}\p{N}]/u.test(piece.text)) found(cut(piece.text), false, piece, 0, folded.length);
    return;
  }
  for (const { 0: word, index } of folded.matchAll(RUNS)) {
    if (SPACELESS.test(word)) eachPair(word, piece, index, found);
    else found(cut(word), false, piece, index, word.length);
  }
}

/** Each character with the one after it, so that every part of the run is found; the last one by itself. */
function eachPair(run: string, piece: Piece, index: number, found: Found): void {
  const characters = Array.from(run);
  let from = index;
  for (let i = 0; i < characters.length; i++) {
    const [character = '', next] = [characters[i], characters[i + 1]];
    found(next === undefined ? character : character + next, next === undefined, piece, from, character.length);
    from += character.length;
  }
}

/** The words of a text in their order. */
export function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  let [placed, places]: [Piece | null, Place[]] = [null, []];
  eachWord(text, (key, open, piece, from, length) => {
    if (piece !== placed) [placed, places] = [piece, placesIn(piece)];
    const start = places[from]?.start ?? piece.start;
    const end = places[from + length - 1]?.end ?? piece.start + piece.text.length;
    words.push({ key, open, start, end });
  });
  return words;
}

/** The words of its compounds, each compound by itself, as `searchText` holds them. */
export function compoundsOf(text: string): Word[][] {
  const all: Word[][] = [];
  eachCompound(text, isAscii(text), (parts, start, end) => {
    let at = start;
    all.push(
      parts.flatMap((part) => {
        const place = parts.length > 1 ? { start: at, end: at + part.length } : { start, end };
        at += part.length;
        return wordsOf(part).map((word) => ({ ...word, ...place }));
      }),
    );
  });
  return all;
}

interface Place {
  readonly start: number;
  readonly end: number;
}

/** The place in the whole text of each unit of a folded piece; none if characters are not folded one by one. */
function placesIn({ text, start, folded }: Piece): Place[] {
  const places: Place[] = [];
  let at = start;
  for (const character of text) {
    const place = { start: at, end: at + character.length };
    for (let left = baseForm(character).length; left > 0; left--) places.push(place);
    at += character.length;
  }
  return places.length === folded.length ? places : [];
}

function cut(word: string): string {
  return word.length <= LONGEST_WORD ? word : Array.from(word).slice(0, LONGEST_WORD).join('');
}

/** Whether a key is two characters of a script without spaces, as such texts are cut into words. */
export function isSpacelessPair(key: string): boolean {
  if (key.length < 2 || key.length > 4 || isAscii(key)) return false;
  const characters = Array.from(key);
  return characters.length === 2 && characters.every((character) => SPACELESS.test(character));
}

const isAscii = (text: string): boolean => !/[^\0-\x7f]/.test(text);

/** Latin, Greek and Cyrillic letters, the punctuation used with them, and nothing that is an emoji or stands for nothing. */
const SIMPLE =
  /^[\0-\xa8\xaa-\xad\xaf-\xb1\xb4-\xb8\xba\xbb\xbf-\u02af\u0386-\u0559\u1e00-\u1eff\u2010-\u2027\u20ac]*$/;
const WORDS = /[\p{L}\p{M}\p{N}]+/gu;
const BETWEEN_WORDS = /[^\p{L}\p{M}\p{N}]+/gu;

/** Scripts in which words stand without spaces between them, or with endings that are words of their own (Hangul). */
const SPACELESS_SCRIPTS =
  'Han Hiragana Katakana Bopomofo Hangul Yi Tangut Nushu Khitan_Small_Script Thai Lao Khmer Myanmar Tai_Le New_Tai_Lue ' +
  'Tai_Tham Tai_Viet Ahom Tibetan Javanese Balinese';
const spaceless = `(?=[${SPACELESS_SCRIPTS.replace(/\w+ ?/g, (name) => `\\p{scx=${name.trim()}}`)}])[\\p{L}\\p{M}\\p{Nl}]`;
const SPACELESS = new RegExp(spaceless, 'u');
const RUNS = new RegExp(`(?:${spaceless})+|(?:(?!${spaceless})[\\p{L}\\p{M}\\p{N}])+`, 'gu');
const EMOJI =
  '(?:\\p{RI}\\p{RI}|[\\p{Extended_Pictographic}\\p{Emoji_Presentation}])[\\ufe0e\\ufe0f]?\\p{EMod}?(?:[\\u{e0020}-\\u{e007e}]+\\u{e007f})?';
/**
 * What may hold words: emoji (the first group), each with all that is joined to it; letters, marks, digits and what is
 * invisible between them, but for the space without width; and what may stand for letters or digits, such as ㎏ and ½.
 */
const PIECES = new RegExp(
  `(${EMOJI}(?:\\u200d${EMOJI})*|[0-9#*]\\ufe0f?\\u20e3)|[\\p{L}\\p{M}\\p{Nd}\\p{Nl}](?:(?!\\u200b)[\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{DI}])*|[\\p{So}\\p{No}]`,
  'gu',
);

/** Marks that may be omitted in their writing systems, and invisible characters. */
const ACCENTS =
  /(?![\u3099\u309a])\p{M}(?<=[\p{sc=Zinh}\p{sc=Latn}\p{sc=Grek}\p{sc=Cyrl}\p{sc=Copt}\p{sc=Glag}\p{sc=Hebr}\p{sc=Arab}\p{sc=Syrc}\p{sc=Samr}\p{sc=Nkoo}\p{sc=Adlm}\p{sc=Ethi}])|\p{DI}|\u0640/gu;

const FOLDED_FURTHER = new RegExp(`(?![0-9])\\p{Nd}|[ς${Object.values(baseLetters).join('')}]`, 'gu');
const letters = new Map(
  Object.entries(baseLetters).flatMap(([base, all]) => Array.from(all, (letter) => [letter, base])),
);

function foldFurther(character: string): string {
  return character === 'ς' ? 'σ' : (letters.get(character) ?? `${digitValue(character)}`);
}

/** Decimal digits of a script follow one another from 0 to 9. */
function digitValue(digit: string): number {
  const code = digit.codePointAt(0) ?? 0;
  let zero = code;
  while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
  return (code - zero) % 10;
}

/**
 * Finds words of several parts, and words with apostrophes or hyphens. Most texts have none, so the check has to be fast. A word that
 * mixes letters and digits more than once is a key or a hash, whose parts no one searches for.
 */
const hasInAny = {
  parts: /\p{Ll}\p{Lu}|\p{L}\p{Nd}|\p{Nd}\p{L}/u,
  severalParts:
    /(?<![\p{L}\p{M}\p{N}])(?:\p{Nd}{1,9}\p{L}{1,30}|\p{L}{1,30}\p{Nd}{1,9}|\p{Lu}{0,9}\p{Ll}{1,30}(?:\p{Lu}{1,9}\p{Ll}{0,30}){1,5}\p{Nd}{0,9})(?![\p{L}\p{M}\p{N}])/gu,
  between: /(?<=\p{Ll})(?=\p{Lu})|(?<=\p{L})(?=\p{Nd})|(?<=\p{Nd})(?=\p{L})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u,
  marked: /\p{L}['’\p{Pd}]\p{L}/u,
  marks: /[\p{L}\p{M}\p{N}]+(?:['’\p{Pd}][\p{L}\p{M}\p{N}]+)+/gu,
  mark: /['’\p{Pd}]/gu,
};
const hasInAscii: typeof hasInAny = {
  parts: /[a-z][A-Z\d]|\d[A-Za-z]|[A-Z]\d/,
  severalParts:
    /(?<![A-Za-z0-9])(?:\d{1,9}[A-Za-z]{1,30}|[A-Za-z]{1,30}\d{1,9}|[A-Z]{0,9}[a-z]{1,30}(?:[A-Z]{1,9}[a-z]{0,30}){1,5}\d{0,9})(?![A-Za-z0-9])/g,
  between: /(?<=[a-z])(?=[A-Z\d])|(?<=[A-Z])(?=\d|[A-Z][a-z])|(?<=\d)(?=[A-Za-z])/,
  marked: /[A-Za-z]['-][A-Za-z]/,
  marks: /[A-Za-z0-9]+(?:['-][A-Za-z0-9]+)+/g,
  mark: /['-]/g,
};
