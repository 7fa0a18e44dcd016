import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codePoints, fingerprint, isBlank, normalize, textProblem, visibleTextProblem } from './text.js';
import { blankText } from './text.testing.js';

/** Text of characters that are short and long in UTF-16, composed and combining, and NUL. */
const anyText = fc.string({ unit: fc.constantFrom(...'aZ \u0000üßİΣ€\u0308\u212b😀𝒳'), maxLength: 40 });

describe('the length of a text', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['ü', 1],
    ['u\u0308', 2],
    ['😀', 1],
    ['👩‍👩‍👧', 5],
  ])('of %j is %i', (text, length) => {
    expect(codePoints(text)).toBe(length);
  });

  it('is counted in code points', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(codePoints(text)).toBe([...text].length);
      }),
    );
  });
});

describe('what is wrong with a text', () => {
  it('is nothing when it is well formed and between its limits', () => {
    const limits = fc.tuple(fc.nat(20), fc.nat(20));
    fc.assert(
      fc.property(anyText, limits, (text, [min, more]) => {
        const length = [...text].length;
        const fine = length >= min && length <= min + more && !text.includes('\u0000');
        expect(textProblem(text, min, min + more) === null).toBe(fine);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['a\u0000b', 'must not contain the NUL character'],
    ['\ud83d', 'must not contain lone surrogates'],
    ['\ude00\ud83d', 'must not contain lone surrogates'],
    ['', 'must not be empty'],
    ['abcd', 'must have at most 3 characters'],
  ])('is said in words: %j', (text, problem) => {
    expect(textProblem(text, 1, 3)).toBe(problem);
  });

  it('names the least length where that is more than one', () => {
    expect(textProblem('😀😀', 3, 9)).toBe('must have at least 3 characters');
  });
});

describe('a text that shows nothing', () => {
  it.each([
    ['spaces of all kinds', ' \t\n\u00a0\u1680\u2003\u3000'],
    ['zero-width spaces and joiners', '\u200b\u200c\u200d\u2060\ufeff'],
    ['marks of direction', '\u200e\u200f\u202e\u2066'],
    ['a soft hyphen', '\u00ad'],
    ['Hangul fillers', '\u115f\u1160\u3164\uffa0'],
    ['a Braille pattern without dots', '\u2800'],
    ['variation selectors', '\ufe0f\u{e0100}'],
    ['tags', '\u{e0041}\u{e007f}'],
    ['Khmer inherent vowels', '\u17b4\u17b5'],
    ['a Mongolian vowel separator', '\u180e'],
    ['invisible operators', '\u2061\u2062\u2063\u2064'],
    ['control characters', '\u0001\u007f\u0085'],
    ['a note without a head', '\u{1d159}'],
    ['a blank hieroglyph', '\u{13441}'],
    ['where an object was', '\ufffc'],
    ['marks on nothing', '\u0301\u20dd'],
    ['noncharacters', '\ufdd0\u{1ffff}'],
  ])('is refused: %s', (_, text) => {
    expect(isBlank(text)).toBe(true);
    expect(visibleTextProblem(text, 1, 100)).toBe('must not be blank');
    expect(visibleTextProblem(text, 0, 100)).toBe('must not be blank');
  });

  it.each([
    '.',
    '0',
    '-',
    '\u0301e',
    '👍',
    '\u{1f3f4}',
    '(',
    '\u06dd',
    '\ue000',
    '\u{10fffd}',
    '\u0378',
    '\u3164x',
    '␠',
    '\ufffd',
  ])('is not one that shows something: %j', (text) => {
    expect(visibleTextProblem(text, 1, 100)).toBeNull();
  });

  it('is refused whatever it is made of', () => {
    fc.assert(fc.property(blankText, (text) => visibleTextProblem(text, 0, 1_000) === 'must not be blank'));
  });

  it('is not one that is empty', () => {
    expect(visibleTextProblem('', 0, 9)).toBeNull();
    expect(visibleTextProblem('', 1, 9)).toBe('must not be empty');
  });
});

it('texts that look the same are stored the same', () => {
  expect(normalize('u\u0308')).toBe('ü');
  expect(normalize('\u1e9b\u0323')).toBe('\u1e9b\u0323');
});

describe('a fingerprint', () => {
  it('is a whole number that a double holds exactly, and the same every time', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(Number.isSafeInteger(fingerprint(text))).toBe(true);
        expect(fingerprint(text)).toBeGreaterThanOrEqual(0);
        expect(fingerprint(text)).toBe(fingerprint(text));
      }),
    );
  });

  it('differs for texts that differ little', () => {
    const texts = new Set<string>();
    const alphabet = ['a', 'b', 'A', '\u0161', ' ', '1', '\ud83d', 'ü'];
    for (const a of alphabet)
      for (const b of alphabet) for (const c of alphabet) for (const d of alphabet) texts.add(a + b + c + d);
    for (let i = 0; i < 5_000; i++) texts.add(`Message ${i}`).add(`${' '.repeat(i % 500)}x${i}`);
    const fingerprints = new Set([...texts].map(fingerprint));
    expect(fingerprints.size).toBe(texts.size);
  });
});
