import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { csvCells, csvLine } from './csv.js';

describe('a line of comma-separated values', () => {
  it('has its cells between commas, and ends with carriage return and line feed', () => {
    expect(csvLine(['ada', '', 'Ada Lovelace'])).toBe('ada,,Ada Lovelace\r\n');
  });

  it('has cells with commas, quotes or line breaks in quotes', () => {
    expect(csvLine(['a,b', 'say "hi"', 'two\nlines'])).toBe('"a,b","say ""hi""","two\nlines"\r\n');
  });

  it.each(['=1+1', '+1', '-1', '@sum', '\tx', '\rx'])('holds no formula: %j', (text) => {
    expect(csvLine([text])).toMatch(/^"?'/);
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

test('what was written is read again', () => {
  const text = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .filter((one) => one === one.trim() && !one.startsWith("'") && !/^[\t\r]/.test(one));
  const table = fc.array(fc.array(text, { minLength: 2, maxLength: 3 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(table, (lines) => {
      // The first line, of names, decides which separator it is.
      const all = [['first', 'second'], ...lines];
      expect(csvCells(all.map(csvLine).join(''))).toEqual(all);
    }),
  );
});
