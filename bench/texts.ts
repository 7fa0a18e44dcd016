import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What people really wrote, because short made-up texts hide what search costs. */
const folder = fileURLToPath(new URL('../../apps/api/src/tools/import/test-data/', import.meta.url));
const lines = readdirSync(folder)
  .filter((name) => /^\d{4}-/.test(name))
  .flatMap((name) =>
    [...readFileSync(`${folder}${name}`, 'utf8').matchAll(/^\[\d\d:\d\d\] <\S+> (.+)$/gm)].map(
      ([, text]) => text ?? '',
    ),
  );

/** Heaps' law for these lines, and for days of the same logs that are not among them: distinct words in `words` words. */
const vocabulary = (words: number): number => 3.5 * words ** 0.7;

/**
 * Chat without end: the real lines over and over, in which, from the second time on, made-up words take the place of
 * some, so that words which nobody used before keep coming as they do when people talk.
 */
export function* chat(): Generator<string, never> {
  let words = 0;
  let known = 0;
  for (let pass = 0; ; pass++) {
    for (const line of lines) {
      const parts = line.split(' ');
      for (const i of parts.keys()) {
        if (vocabulary(++words) < known + 1) continue;
        known++;
        if (pass > 0) parts[i] = madeUpWord(known);
      }
      yield parts.join(' ');
    }
  }
}

/** The first texts, each as JSON. */
export function jsonTexts(count: number): string[] {
  const texts = chat();
  return Array.from({ length: count }, () => JSON.stringify(texts.next().value));
}

/** A different one for each number, about as long as words are. */
const madeUpWord = (n: number): string => (Math.imul(n, 0x9e3779b1) >>> 0).toString(36);
