import { compoundsOf, type Word, wordsOf } from './words.js';

/** Words that a text must have in this order, next to each other. */
export interface Phrase {
  readonly keys: readonly string[];
  /** Whether the last key may be the beginning of a longer word. */
  readonly open: boolean;
}

/**
 * The phrases of a query, all of which must match. Text between double quotes is one phrase, and so is everything else
 * between two spaces: `example.org` are two words next to each other. The last word may be the beginning of a longer one,
 * unless it is in quotes. An unpaired quote is ignored.
 */
export function phrasesOf(query: string): Phrase[] {
  const phrases: Phrase[] = [];
  for (const { words, quoted, last } of groupsOf(query)) {
    const end = words.at(-1);
    if (end) phrases.push({ keys: words.map(({ key }) => key), open: end.open || (last && !quoted) });
  }
  return phrases;
}

/** The excluded phrases of a query, none of which may match. Their last words are whole words. */
export function phrasesWithout(query: string): Phrase[] {
  return groupsOf(query).map(({ words }) => ({
    keys: words.map(({ key }) => key),
    open: words.at(-1)?.open ?? false,
  }));
}

/** A phrase in the form of `searchText`. */
export const phraseText = ({ keys, open }: Phrase): string => ` ${keys.join(' ')}${open ? '' : ' '}`;

/** UTF-16 offsets of what a query finds in a text, in order and without overlaps; `end` is exclusive. */
export function matchesIn(text: string, query: string): { start: number; end: number }[] {
  const sequences = [wordsOf(text), ...compoundsOf(text)];
  const phrases = phrasesOf(query).slice(0, MOST_MATCHED);
  const found = phrases.flatMap((phrase) => sequences.flatMap((words) => places(words, phrase)));
  found.sort((one, other) => one.start - other.start || one.end - other.end);
  const merged: { start: number; end: number }[] = [];
  for (const { start, end } of found) {
    const last = merged.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  return merged;
}

/** Bounds the time for a page of long texts. */
const MOST_MATCHED = 50;

function places(words: readonly Word[], { keys, open }: Phrase): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  const last = keys.length - 1;
  for (let at = 0; at + last < words.length; at++) {
    const isThere = keys.every((key, i) => {
      const word = words[at + i]?.key ?? '';
      return i === last && open ? word.startsWith(key) : word === key;
    });
    if (isThere) found.push({ start: words[at]?.start ?? 0, end: words[at + last]?.end ?? 0 });
  }
  return found;
}

interface Group {
  readonly words: readonly Word[];
  readonly quoted: boolean;
  /** Whether it ends with the last word of the query. */
  readonly last: boolean;
}

function groupsOf(query: string): Group[] {
  const quotes = Array.from(query.matchAll(QUOTES), ({ index }) => index);
  if (quotes.length % 2 === 1) quotes.pop();
  const quotesBefore = (offset: number) => quotes.filter((quote) => quote < offset).length;
  const groups: { words: Word[]; quotes: number; end: number }[] = [];
  for (const word of wordsOf(query)) {
    const before = quotesBefore(word.start);
    const group = groups.at(-1);
    const isQuoted = before % 2 === 1;
    const goesOn = group?.quotes === before && (isQuoted || !/\s/.test(query.slice(group.end, word.start)));
    if (!group || !goesOn) groups.push({ words: [word], quotes: before, end: word.end });
    else {
      group.words.push(word);
      group.end = word.end;
    }
  }
  return groups.map(({ words, quotes }, i) => ({ words, quoted: quotes % 2 === 1, last: i === groups.length - 1 }));
}

/** Phone keyboards and word processors produce many kinds of quotes. */
const QUOTES = /["“”„‟«»＂]/g;
