import { Fragment } from 'react';

interface Part {
  readonly text: string;
  /** Where in the text it begins. */
  readonly at: number;
  readonly hit: boolean;
}

/** A text with the words found highlighted. */
export function Highlight({ text, words }: { text: string; words: string | undefined }) {
  const parts = words ? marked(text, words) : [{ text, at: 0, hit: false }];
  return parts.map(({ text: part, at, hit }) =>
    hit ? <mark key={at}>{part}</mark> : <Fragment key={at}>{part}</Fragment>,
  );
}

/** Splits a text into parts that do or do not match the words, ignoring case and marks on letters. */
export function marked(text: string, words: string): Part[] {
  const wanted = fold(words)
    .split(/[^\p{L}\p{N}\p{Extended_Pictographic}]+/u)
    .filter((word) => word !== '');
  if (wanted.length === 0) return [{ text, at: 0, hit: false }];
  // Folding changes lengths, so each folded character keeps its position in the text.
  const from: number[] = [];
  let folded = '';
  let place = 0;
  for (const character of text) {
    const plain = fold(character);
    for (let i = 0; i < plain.length; i += 1) from.push(place);
    folded += plain;
    place += character.length;
  }
  from.push(text.length);
  const hits = new Uint8Array(text.length);
  for (const word of wanted) {
    for (let at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + word.length)) {
      if (!beginsWord(folded, at)) continue;
      hits.fill(1, from[at] ?? 0, from[at + word.length] ?? text.length);
    }
  }
  return runs(text, hits);
}

/** Scripts without spaces have no word starts to match. */
const spaceless =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

function beginsWord(folded: string, at: number): boolean {
  const before = folded.slice(0, at).at(-1) ?? ' ';
  return !/[\p{L}\p{N}]/u.test(before) || spaceless.test(folded.slice(at, at + 2)) || spaceless.test(before);
}

function runs(text: string, hits: Uint8Array): Part[] {
  const parts: Part[] = [];
  let start = 0;
  for (let i = 1; i <= text.length; i += 1) {
    if (i < text.length && hits[i] === hits[start]) continue;
    parts.push({ text: text.slice(start, i), at: start, hit: hits[start] === 1 });
    start = i;
  }
  return parts;
}

const fold = (text: string): string =>
  text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replaceAll('ß', 'ss');
