import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codePoints, fingerprint, nameKey, nameProblem, normalize, textProblem } from './text.js';

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

describe('what is wrong with a name', () => {
  it.each([
    'Ada Lovelace',
    'engine room',
    '#ubuntu',
    'Зоя Ада',
    'Ada Зоя',
    'Ω-level',
    '世界',
    '山田\u3000太郎',
    'कृष्ण',
    'عائشة',
    'O’Brien [away]',
    'Ada 👩🏽‍🚀',
    '👨‍👩‍👧',
    'I ❤️ tea',
    '1️⃣',
    '🏳️‍🌈',
  ])('is nothing: %s', (name) => {
    expect(nameProblem(name, 80)).toBeNull();
  });

  const invisible = 'must not contain invisible or control characters';
  const spaces = 'must have single spaces only, and only between words';
  const mixed = 'must not mix Latin with Cyrillic or Greek letters in one word';
  it.each([
    ['Ada\u202eeci', invisible],
    ['\u2066Ada\u2069', invisible],
    ['Ada\u200e', invisible],
    ['Ada\u061c', invisible],
    ['A\u200bda', invisible],
    ['A\u200dda', invisible],
    ['👩\u200dAda', invisible],
    ['A\u00adda', invisible],
    ['A\ufe0fda', invisible],
    ['\u3164', invisible],
    ['A\u034fda', invisible],
    ['Ada\u2800', invisible],
    ['Ada\n', invisible],
    ['\u{e0041}', invisible],
    [' Ada', spaces],
    ['Ada ', spaces],
    ['Ada  Lovelace', spaces],
    ['Ada\u00a0Lovelace', spaces],
    ['Ada\u2028Lovelace', spaces],
    ['аdmin', mixed],
    ['Pοpe', mixed],
    ['the аdmin', mixed],
    ['', 'must not be empty'],
    ['x'.repeat(81), 'must have at most 80 characters'],
    ['\ud83d', 'must not contain lone surrogates'],
  ])('is said in words: %j', (name, problem) => {
    expect(nameProblem(name, 80)).toBe(problem);
  });
});

describe('names', () => {
  it.each([
    ['Lounge', 'lounge'],
    ['  Lounge ', 'Lounge'],
    ['Müller', 'Mu\u0308ller'],
    ['MÜLLER', 'mu\u0308ller'],
    ['ÅNGSTRÖM', '\u212bngström'],
  ])('%j and %j count as the same', (one, other) => {
    expect(nameKey(one)).toBe(nameKey(other));
  });

  it.each([
    ['Lounge', 'Lounges'],
    ['tea room', 'tearoom'],
    ['o', 'ö'],
  ])('%j and %j do not', (one, other) => {
    expect(nameKey(one)).not.toBe(nameKey(other));
  });

  it('have keys in the one form that is compared', () => {
    fc.assert(
      fc.property(anyText, (name) => {
        expect(nameKey(nameKey(name))).toBe(nameKey(name));
      }),
    );
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
