import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonProblem } from './json-problem.js';

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe('what is wrong with a text that is not JSON', () => {
  // As Python 3.11 says it.
  it.each([
    ['', 'Expecting value: line 1 column 1 (char 0)'],
    ['  ', 'Expecting value: line 1 column 3 (char 2)'],
    ['{"name": ', 'Expecting value: line 1 column 10 (char 9)'],
    ["{'name': 1}", 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'],
    ['{"a":1,}', 'Expecting property name enclosed in double quotes: line 1 column 8 (char 7)'],
    ['{"a" 1}', "Expecting ':' delimiter: line 1 column 6 (char 5)"],
    ['{"a":1 "b"}', "Expecting ',' delimiter: line 1 column 8 (char 7)"],
    ['[1 2]', "Expecting ',' delimiter: line 1 column 4 (char 3)"],
    ['[1,]', 'Expecting value: line 1 column 4 (char 3)'],
    ['{"a":\n}', 'Expecting value: line 2 column 1 (char 6)'],
    ['{"ü🙂": "b"', "Expecting ',' delimiter: line 1 column 11 (char 10)"],
    ['{"a":1}x', 'Extra data: line 1 column 8 (char 7)'],
    ['01', 'Extra data: line 1 column 2 (char 1)'],
    ['"abc', 'Unterminated string starting at: line 1 column 1 (char 0)'],
    ['"a\nb"', 'Invalid control character at: line 1 column 3 (char 2)'],
    ['"\\x"', 'Invalid \\escape: line 1 column 2 (char 1)'],
    ['"\\u12"', 'Invalid \\uXXXX escape: line 1 column 3 (char 2)'],
    ['nul', 'Expecting value: line 1 column 1 (char 0)'],
  ])('%j: %s', (text, problem) => {
    expect(jsonProblem(text)).toBe(problem);
  });

  it('is found in just those texts that are none', () => {
    const nearlyJson = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', '"', '\\', ',', ':', '{', ']', '0', 'e', '\n', '\u0001', 'tru'))
      .map(([text, at, piece]) => {
        const place = at % (text.length + 1);
        return text.slice(0, place) + piece + text.slice(place + (at % 2));
      });
    fc.assert(
      fc.property(nearlyJson, (text) => (jsonProblem(text) === null) === isJson(text)),
      { numRuns: 3_000 },
    );
  });

  it('is found however deeply a text is nested', () => {
    expect(jsonProblem('['.repeat(100_000))).toBe('Expecting value: line 1 column 100001 (char 100000)');
  });
});
