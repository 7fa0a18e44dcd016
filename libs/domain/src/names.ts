import { isEmoji } from './emoji.js';
import { emptyGlyphs, textProblem } from './text.js';
import { joinsNext, joinsPrevious, scripts, shownFormats, viramas } from './unicode-data.js';

// Which names are the same ------------------------------------------------------------------------------------------

/** The form under which names are compared: two names with the same key are the same name. */
export const nameKey = (name: string): string => fold(name).replace(/\s+/gu, ' ').trim();

/**
 * Removes differences that people do not perceive as such: case, compatibility forms, and what is not displayed. This is
 * Unicode's toNFKC_Casefold (section 3.13, R5) with two changes:
 *
 * - The four i's of Turkish are one, and a dot above an i or j does not count. So a name equals its own spelling in
 *   capitals or in small letters, in whatever language they were made.
 * - Flags of regions (black flag and tags) keep their tags, without which all of them would be the same flag.
 */
export function fold(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return text.toLowerCase();
  let folded = text;
  // Twice is enough; the third time is there to see that nothing changes. A test tries every character.
  for (let i = 0; i < 3; i++) {
    const again = foldOnce(folded);
    if (again === folded) break;
    folded = again;
  }
  return folded;
}

const foldOnce = (text: string): string =>
  foldCase(text.replace(regionFlagOrIgnorable, (found) => (found.length > 2 ? found : '')).normalize('NFKD'))
    .normalize('NFD')
    .replace(/(?<=\p{Soft_Dotted}\p{M}*)\u0307/gu, '')
    .normalize('NFKC');

/** A flag is kept as it is; a single character that is ignored in display is removed. */
const regionFlagOrIgnorable =
  /\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{3,6}\u{e007f}|\p{Default_Ignorable_Code_Point}/gu;

/**
 * Full case folding of each character. JavaScript does not offer it, but changing case three times comes to the same for
 * every character of CaseFolding.txt but the dotless i, which becomes an i. Characters go one by one, because the small
 * sigma depends on what stands around it.
 */
const foldCase = (text: string): string =>
  text.replace(/./gsu, (character) => character.toLowerCase().toUpperCase().toLowerCase());

// Which characters may be in a name ----------------------------------------------------------------------------------

/**
 * What is wrong with the title of something, such as a room, as a part of a sentence, or null. It is a text in which
 * everything is seen: what is not displayed may stand only where the spelling of a language or an emoji needs it.
 */
export function titleProblem(title: string, max: number): string | null {
  const problem = textProblem(title, 1, max);
  if (problem) return problem;
  if (/[\p{Co}\p{Cn}]/u.test(title)) return 'must not contain private-use or unassigned characters';
  if (unseen.test(withoutNeeded(title))) return 'must not contain invisible or control characters';
  if (/^\s|\s$|\s\s|[^\S \u3000]/u.test(title)) return 'must have single spaces only, and only between words';
  if (/(?<!\S)\p{M}/u.test(title)) return 'must not have combining marks without a character before them';
  if (/\p{M}{9}/u.test(title)) return 'must not have more than 8 combining marks on one character';
  return null;
}

/**
 * What is wrong with the name of a person, as a part of a sentence, or null. Beyond what a title is refused for, scripts
 * may be mixed only as in the restriction level "highly restrictive" of Unicode Technical Standard 39 (section 5.2): one
 * script, or Latin together with the scripts of Chinese, Japanese or Korean.
 */
export function nameProblem(name: string, max: number): string | null {
  const problem = titleProblem(name, max);
  if (problem) return problem;
  // Letters such as the mathematical ones belong to no script until they are taken for the letters that they look like.
  const letters = name.replace(/\p{Alphabetic}+/gu, (word) => word.normalize('NFKC'));
  return isHighlyRestrictive(letters) ? null : 'must not mix letters of different scripts, such as Latin and Cyrillic';
}

/** Controls of direction (U+202A and others) are among them. */
const unseen = new RegExp(`(?![${shownFormats}])[\\p{Cc}\\p{Cf}\\p{Default_Ignorable_Code_Point}${emptyGlyphs}]`, 'u');

/** The name without invisible characters that change how their neighbours are displayed. */
function withoutNeeded(name: string): string {
  if (!unseen.test(name)) return name;
  return name
    .replace(/\u{1f3f4}[\u{e0020}-\u{e007f}]+/gu, (flag) => (isEmoji(flag) ? '' : flag))
    .replace(neededByEmoji, '')
    .replace(neededBySpelling, '');
}

/** Variation selectors for emoji or text, and what joins two emoji into one (Unicode Technical Standard 51). */
const neededByEmoji =
  /(?<=[\p{Emoji}\p{Emoji_Modifier}])[\ufe0e\ufe0f]|(?<=\p{Extended_Pictographic}[\ufe0f\p{Emoji_Modifier}]*)\u200d(?=\p{Extended_Pictographic})/gu;

/**
 * Joiners and non-joiners between letters that join, or at a virama (RFC 5892, appendix A.1 and A.2; a joiner before the
 * virama is how Bengali and Sinhala write some clusters), and variation selectors of Han and Mongolian.
 */
const neededBySpelling = new RegExp(
  [
    `(?<=[${viramas}])[\\u200c\\u200d]`,
    `(?<=\\p{L}\\p{M}*)\\u200d(?=[${viramas}])`,
    `(?<=[${joinsNext}]\\p{M}*)\\u200c(?=\\p{M}*[${joinsPrevious}])`,
    '(?<=\\p{Script=Han})[\\ufe00-\\ufe02\\u{e0100}-\\u{e01ef}]',
    '(?<=\\p{Script=Mongolian})[\\u180b-\\u180d\\u180f]',
    '(?<=\\p{Script=Mongolian})\\u180e(?=\\p{Script=Mongolian})',
  ].join('|'),
  'gu',
);

// Which scripts are mixed --------------------------------------------------------------------------------------------

/** The combinations of the restriction level, most common first. */
const combinations: readonly string[] = [
  'Latin Han Hiragana Katakana',
  'Latin Han Bopomofo',
  'Latin Han Hangul',
  ...scripts.split(' '),
];

function isHighlyRestrictive(name: string): boolean {
  const letters = name.replace(/[\p{Script_Extensions=Common}\p{Script_Extensions=Inherited}]+/gu, '');
  return letters === '' || combinations.some((combination) => only(combination)?.test(letters));
}

const compiled = new Map<string, RegExp | null>();

/** Matches texts of these scripts only. Null if this JavaScript engine does not know them: their letters are unassigned. */
function only(combination: string): RegExp | null {
  const known = compiled.get(combination);
  if (known !== undefined) return known;
  let pattern: RegExp | null = null;
  try {
    const classes = combination.split(' ').map((script) => `\\p{Script_Extensions=${script}}`);
    pattern = new RegExp(`^[${classes.join('')}]*$`, 'u');
  } catch {
    // Stays null.
  }
  compiled.set(combination, pattern);
  return pattern;
}
