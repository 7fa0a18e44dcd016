import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesIn, phrasesOf, phrasesWithout, phraseText } from './search-query.js';
import { searchText, wordsOf } from './words.js';
import { anything } from './words.testing.js';

const isFound = (query: string, text: string) => isFoundIn(searchText(text), query);
const isFoundIn = (searched: string, query: string) =>
  phrasesOf(query).every((phrase) => searched.includes(phraseText(phrase)));

describe('a query', () => {
  it.each([
    ['上海', '我家在上海东边'],
    ['海', '我家在上海东边'],
    ['我家在上海东边', '我家在上海东边'],
    ['ไทย', 'ฉันพูดภาษาไทยได้'],
    ['မာ', 'မြန်မာစာ'],
    ['タワー', '東京タワーへ行く'],
    ['서울', '서울에서 만나요'],
    ['서울 만나', '서울에서 만나요'],
    ['holiday', 'see holiday.png'],
    ['done', 'I am done.Thanks'],
    ['client', 'TCP/client'],
    ['grace', 'mail grace@example.org'],
    ['grace@example.org', 'mail Grace@Example.org!'],
    ['4711', 'https://tracker.example/t/4711?x=1'],
    ['Invoice', 'a List<Invoice>'],
    ['cafe', 'un café'],
    ['CAFÉ', 'un cafe'],
    ['STRASSE', 'in der straße'],
    ['istanbul', 'İSTANBUL'],
    ['ISPARTA', 'ısparta'],
    ['42', '٤٢'],
    ['name', 'getFileName()'],
    ['getfilename', 'getFileName()'],
    ['km', 'another 10km'],
    ['dont', 'I don’t'],
    ["don't", 'I don’t'],
    ['email', 'by e-mail'],
    ['l’homme', "c'est l'homme"],
    ['homme', "c'est l'homme"],
    ['👍', 'fine 👍🏽'],
    ['👍\ufe0f', 'fine 👍'],
    ['"good morning"', 'Good — morning all'],
    ['“good morning”', 'good morning'],
    ['-m', 'git commit -m'],
    ['a - not', 'a - not b'],
    ['good mor', 'good morning'],
  ])('%s finds %s', (query, text) => {
    expect(isFound(query, text)).toBe(true);
    expect(matchesIn(text, query)).not.toEqual([]);
  });

  it.each([
    ['海上', '我家在上海东边'],
    ['カス', 'ガス'],
    ['"good morning"', 'morning, good'],
    ['"good mor"', 'good morning'],
    ['mor good', 'good morning'],
    ['example.org', 'an org for example'],
    ['👍🏽', 'fine 👍'],
    ['🇩🇪', '🇫🇷🇩🇰🇪🇸'],
    ['orning', 'good morning'],
  ])('%s does not find %s', (query, text) => {
    expect(isFound(query, text)).toBe(false);
  });

  it('asks for phrases: what is in quotes, and what stands between spaces', () => {
    expect(phrasesOf('one.two "three four" five')).toEqual([
      { keys: ['one', 'two'], open: false },
      { keys: ['three', 'four'], open: false },
      { keys: ['five'], open: true },
    ]);
    expect(phrasesOf('one "two three')).toEqual([
      { keys: ['one'], open: false },
      { keys: ['two'], open: false },
      { keys: ['three'], open: true },
    ]);
    expect(phrasesOf('"one""two" "three"four')).toHaveLength(4);
    expect(phrasesOf('"" !')).toEqual([]);
  });

  it('leaves out whole words only', () => {
    expect(phrasesWithout('one "two three"').map(phraseText)).toEqual([' one ', ' two three ']);
  });

  it('finds the text that it was copied from', () => {
    fc.assert(
      fc.property(anything(500), (text) => {
        expect(isFound(text.trim(), text)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('finds a text by each of its words', () => {
    fc.assert(
      fc.property(anything(60), (text) => {
        const searched = searchText(text);
        const missing = wordsOf(text).filter(({ key }) => !isFoundIn(searched, key));
        expect(missing).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('the places that are found', () => {
  const marked = (text: string, query: string) =>
    matchesIn(text, query).map(({ start, end }) => text.slice(start, end));

  it.each([
    ['Ein Café in der Straße', 'strasse cafe', ['Café', 'Straße']],
    ['我家在上海东边，上海', '上海', ['上海', '上海']],
    ['good morning, Good Morning', '"good morning"', ['good morning', 'Good Morning']],
    ['getFileName of 10km', 'name km', ['Name', 'km']],
    ['getFileName', 'name', ['Name']],
    ['I don’t', 'dont', ['don’t']],
    ['fine 👍🏽!', '👍', ['👍🏽']],
    ['nothing', 'else', []],
  ])('in %s by %s', (text, query, wanted) => {
    expect(marked(text, query)).toEqual(wanted);
  });

  it('are in order, without overlaps, within the text', () => {
    fc.assert(
      fc.property(anything(60), anything(10), (text, query) => {
        let before = -1;
        for (const { start, end } of matchesIn(text, query)) {
          expect(start).toBeGreaterThan(before);
          expect(end).toBeGreaterThan(start);
          before = end;
        }
        expect(before).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 1_000 },
    );
  });

  it('are found soon, also in long texts of scripts without spaces and by long queries', () => {
    const text = '我家在上海'.repeat(1_600);
    expect(matchesIn(text, '我家 '.repeat(166))).toHaveLength(1_600);
  });
});
