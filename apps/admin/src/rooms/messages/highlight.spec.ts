import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { marked } from './highlight';

const hits = (text: string, words: string) => marked(text, words).flatMap(({ text: part, hit }) => (hit ? [part] : []));

describe('the words that were looked for', () => {
  it('are marked whatever their case and the marks on letters', () => {
    expect(hits('Straße und CAFÉ, Café', 'cafe strasse')).toEqual(['Straße', 'CAFÉ', 'Café']);
  });

  it('are marked at the beginnings of words, and anywhere where there are no spaces', () => {
    expect(hits('cat, category, concat', 'cat')).toEqual(['cat', 'cat']);
    expect(hits('我家在上海东边', '上海')).toEqual(['上海']);
    expect(hits('مرحبا بالعالم', 'مرحبا')).toEqual(['مرحبا']);
  });

  it('leave the text as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (text, words) => {
        expect(
          marked(text, words)
            .map((part) => part.text)
            .join(''),
        ).toBe(text);
      }),
    );
  });
});
