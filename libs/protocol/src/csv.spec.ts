import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { csvCells, csvHeader, csvLine } from './csv.js';

describe('a line of comma-separated values', () => {
  it('has its cells between commas, and ends with carriage return and line feed', () => {
    expect(csvLine(['ada', '', 'Ada Lovelace'])).toBe('ada,,Ada Lovelace\r\n');
  });

  it('has cells with commas, quotes or line breaks in quotes', () => {
    expect(csvLine(['a,b', 'say "hi"', 'two\nlines'])).toBe('"a,b","say ""hi""","two\nlines"\r\n');
  });

  it.each(['=1+1', '+1', '-1', '@sum', '\tx', '\rx', '\n=1', '＝1+1', '－1', "'=1"])('holds no formula: %j', (text) => {
    expect(csvLine([text])).toMatch(/^"?'/);
    expect(csvCells(csvLine(['first', text]))).toEqual([['first', text]]);
  });
});

describe('comma-separated values', () => {
  it('are read as people and spreadsheets write them', () => {
    expect(csvCells('a,b\r\n1, 2 \r\n')).toEqual([
      ['a', 'b'],
      ['1', '2'],
    ]);
    expect(csvCells('a;b\n"x;y";"say ""hi"""\n\n;\n')).toEqual([
      ['a', 'b'],
      ['x;y', 'say "hi"'],
    ]);
    expect(csvCells('a,b\n1,')).toEqual([
      ['a', 'b'],
      ['1', ''],
    ]);
    expect(csvCells('')).toEqual([]);
  });

  it('are none where a quote is left open or closed too early', () => {
    expect(csvCells('a,b\n"open,1\n2,3')).toBeNull();
    expect(csvCells('a,b\n"early" bird,1')).toBeNull();
  });
});

it('begin with a byte order mark, which is no part of the first name', () => {
  const file = csvHeader(['username', 'link']) + csvLine(['ada', 'https://example.org']);
  expect(file.charCodeAt(0)).toBe(0xfeff);
  expect(csvCells(file)?.[0]).toEqual(['username', 'link']);
});

test('what was written is read again, whatever it is', () => {
  const characters = fc.constantFrom(...' \t\r\n\'"=+-@,;\u00a0ä界🙂＝');
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
    fc.string({ unit: characters, minLength: 1, maxLength: 6 }),
  );
  const table = fc.array(fc.array(text, { minLength: 2, maxLength: 3 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(table, (lines) => {
      expect(csvCells(lines.map(csvLine).join(''))).toEqual(lines);
    }),
    { numRuns: 2_000 },
  );
});
