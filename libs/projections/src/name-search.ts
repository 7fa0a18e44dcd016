import { baseForm } from '@verbatim/domain';
import { textValue } from './column-values.js';
import { containing } from './substring-search.js';

/**
 * What a name is found by: its words in the form in which search compares them, and each word with punctuation in it also
 * without: `o'brien obrien`. Cut, because PostgreSQL refuses index entries beyond 2,700 bytes.
 */
export function nameWords(name: string | null | undefined): string | null {
  const text = textValue(name);
  if (text === null) return null;
  const words = folded(text)
    .split(/\s+/)
    .flatMap((word) => [word, word.replace(/[^\p{L}\p{M}\p{N}]/gu, '')]);
  const cut = [...new Set(words)]
    .filter((word) => word !== '')
    .join(' ')
    .slice(0, 400);
  return cut.toWellFormed();
}

/** A word that was typed in order to find a name. */
export interface WantedWord {
  readonly typed: string;
  /**
   * LIKE patterns of which what a name is found by matches one if it has the word, at the beginning of a word or inside. An
   * apostrophe or hyphen may be a space in the name, or nothing.
   */
  readonly patterns: readonly string[];
}

/** The words of which a name must have all, in any order. */
export function wantedWords(q: string): WantedWord[] {
  const typed = [...new Set((textValue(q) ?? '').split(/\s+/))].filter((word) => folded(word) !== '');
  const longest = typed.sort((one, other) => other.length - one.length).slice(0, MOST_WORDS);
  return longest.map((word) => ({ typed: word, patterns: spellings(folded(word)).map(containing) }));
}

/** Names hardly have more words, so the longest do. */
const MOST_WORDS = 16;

const spellings = (word: string): string[] => [
  ...new Set(['$&', ' ', ''].map((mark) => word.replace(/(?<=[\p{L}\p{M}\p{N}])['-](?=[\p{L}\p{M}\p{N}])/gu, mark))),
];

/** Apostrophes and hyphens are written in several ways. */
const folded = (text: string): string => baseForm(text.replace(/[’‘ʼ‛′´`＇]/g, "'").replace(/\p{Pd}/gu, '-')).trim();
