import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baseLetters } from './base-letters.js';
import { baseForm, searchText, wordsOf } from './words.js';
import { anything } from './words.testing.js';

const keys = (text: string) => wordsOf(text).map(({ key }) => key);

describe('folding', () => {
  it.each([
    ['Café', 'cafe'],
    ['STRASSE', 'strasse'],
    ['straße', 'strasse'],
    ['GROẞ', 'gross'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['οδός', 'οδοσ'],
    ['İSTANBUL', 'istanbul'],
    ['ısparta', 'isparta'],
    ['Ｂａｒ', 'bar'],
    ['oﬃce', 'office'],
    ['𝐀𝐝𝐦𝐢𝐧', 'admin'],
    ['Łukasz Ødegård Đoković', 'lukasz odegard dokovic'],
    ['Æsir Œuvre Þór Ísafjörður Guðrún', 'aesir oeuvre thor isafjordur gudrun'],
    ['Tiếng Việt', 'tieng viet'],
    ['Ёлка', 'елка'],
    ['مُحَمَّد', 'محمد'],
    ['أحـمد', 'احمد'],
    ['שָׁלוֹם', 'שלום'],
    ['हिन्दी', 'हिन्दी'],
    ['ガス', 'ガス'],
    ['ｶﾞｽ', 'ガス'],
    ['한국', '한국'],
    ['٤٢ ४२ ๔๒ ４２ 𝟜𝟚', '42 42 42 42 42'],
    ['co\u00adoper\u200dation', 'cooperation'],
  ])('%s becomes %s', (text, folded) => {
    expect(baseForm(text)).toBe(folded);
  });

  it('does nothing to what is folded', () => {
    fc.assert(
      fc.property(anything(100), (text) => {
        expect(baseForm(baseForm(text))).toBe(baseForm(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes the Latin letters that the Unicode collation takes for others for the same', () => {
    const { compare } = new Intl.Collator('en', { sensitivity: 'base' });
    const differing = Object.entries(baseLetters)
      .flatMap(([base, letters]) => Array.from(letters, (letter) => ({ base, letter })))
      .filter(({ letter }) => 'đðħłøæœ'.includes(letter) && compare(letter, baseForm(letter)) !== 0);
    expect(differing).toEqual([]);
  });
});

describe('the words of a text', () => {
  it.each([
    ['see holiday.png', ['see', 'holiday', 'png']],
    ['I am done.Thanks', ['i', 'am', 'done', 'thanks']],
    ['TCP/client', ['tcp', 'client']],
    ['<Grace.Hopper@example.org>', ['grace', 'hopper', 'example', 'org']],
    ['https://x.org/t/4711?a=b#c', ['https', 'x', 'org', 't', '4711', 'a', 'b', 'c']],
    ['List<Invoice>', ['list', 'invoice']],
    ['snake_case and kebab-case', ['snake', 'case', 'and', 'kebab', 'case']],
    ['AT&T; C++ #channel @name 3.14', ['at', 't', 'c', 'channel', 'name', '3', '14']],
    ['“quoted”, «cité»', ['quoted', 'cite']],
    ['foo\u200bbar\u00a0baz', ['foo', 'bar', 'baz']],
    ['5㎏ ①② 2½', ['5', 'kg', '1', '2', '2', '1', '2']],
    ['hello😀world', ['hello', '😀', 'world']],
    ['👍\ufe0f👍🏽🇩🇪🇫🇷👩‍🚀', ['👍', '👍🏽', '🇩🇪', '🇫🇷', '👩‍🚀']],
    ['❤️ ❤', ['❤', '❤']],
    ['1️⃣ Product™', ['1⃣', 'product', '™']],
    ['iPhone手机', ['iphone', '手机', '机']],
    ['2023年', ['2023', '年']],
    ['東京タワー', ['東京', '京タ', 'タワ', 'ワー', 'ー']],
    ['서울에서', ['서울', '울에', '에서', '서']],
    ['𠮷野家', ['𠮷野', '野家', '家']],
    ['... !? — →', []],
  ])('%s', (text, words) => {
    expect(keys(text)).toEqual(words);
  });

  it('know where they stand', () => {
    fc.assert(
      fc.property(anything(60), (text) => {
        for (const { start, end } of wordsOf(text)) {
          expect(start).toBeLessThan(end);
          expect(end).toBeLessThanOrEqual(text.length);
          expect(text.slice(start, end).isWellFormed()).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
    const text = 'I ŒUVRE 我家。ﷺ 서울';
    expect(wordsOf(text).map(({ start, end }) => text.slice(start, end))).toEqual([
      'I',
      'ŒUVRE',
      '我',
      '家',
      'ﷺ',
      'ﷺ',
      'ﷺ',
      'ﷺ',
      '서',
      '울',
    ]);
  });

  it('are there wherever a text has a letter, a digit or an emoji', () => {
    fc.assert(
      fc.property(anything(20), (text) => {
        if (/[\p{L}\p{N}\p{Emoji_Presentation}]/u.test(text)) expect(keys(text)).not.toEqual([]);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('what a text is found by', () => {
  it.each([
    ['Hello, World', ' hello world '],
    ['fileName2', ' filename2  file name 2 '],
    ['XMLHttpRequest 10km', ' xmlhttprequest 10km  xml http request  10 km '],
    ['e-mail, don’t', ' e mail don t  email  dont '],
    ['das Öl-Bild', ' das ol bild  olbild '],
    ['3f2a9c1d4e5b', ' 3f2a9c1d4e5b '],
    ['', '  '],
  ])('%s', (text, found) => {
    expect(searchText(text)).toBe(found);
  });

  it('has the words of the text in their order, whichever way they were found', () => {
    fc.assert(
      fc.property(anything(80), (text) => {
        const words = keys(text);
        expect(searchText(text).split('  ')[0]?.trim()).toBe(words.join(' '));
      }),
      { numRuns: 3_000 },
    );
  });

  it('fits into a tsvector, however strange the text: a word has at most 2,046 bytes, all have less than a megabyte', () => {
    const encoder = new TextEncoder();
    const bytes = (text: string) => encoder.encode(text).length;
    const families = `👨${'\u200d👨'.repeat(4_000)}`;
    const strange = ['ﷺ', '㌖', 'x', 'ß', '𠮷', 'ΐ', '👍', '我'].map((character) => character.repeat(100_000));
    const different = String.fromCodePoint(...Array.from({ length: 20_000 }, (_, i) => 0x4e00 + i));
    for (const text of [...strange, different, families, 'ß'.repeat(400)]) {
      const words = [...new Set(searchText(text).split(' '))];
      expect(Math.max(...words.map(bytes))).toBeLessThanOrEqual(2_046);
      expect(bytes(words.join(''))).toBeLessThan(1_000_000);
    }
  });
});
