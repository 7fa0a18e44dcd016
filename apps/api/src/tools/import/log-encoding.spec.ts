import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLog, linesOf } from './log-encoding.js';

const utf16 = (text: string, order: 'le' | 'be') => {
  const bytes = Buffer.from(text, 'utf16le');
  return order === 'le' ? bytes : bytes.swap16();
};

describe('the encoding of a log', () => {
  const sample = '[00:00] <Łukasz> żółć\n[00:01] <明> 上海 🎉\n';

  it.each([
    ['UTF-8', Buffer.from(sample)],
    ['UTF-8', Buffer.from(`\ufeff${sample}`)],
    ['UTF-16LE', utf16(`\ufeff${sample}`, 'le')],
    ['UTF-16BE', utf16(`\ufeff${sample}`, 'be')],
    ['UTF-16LE', utf16(sample, 'le')],
    ['UTF-16BE', utf16(sample, 'be')],
  ])('is recognised as %s', (encoding, bytes) => {
    expect(decodeLog(bytes)).toEqual({ text: sample, encoding });
  });

  it.each([
    [
      '[00:00] <Renée> »Spaß« für fünf €',
      'windows-1252',
      Buffer.from('[00:00] <Ren\xe9e> \xbbSpa\xdf\xab f\xfcr f\xfcnf \x80', 'latin1'),
    ],
    ['[00:00] <Оля> привет', 'koi8-r', Buffer.from('[00:00] <\xef\xcc\xd1> \xd0\xd2\xc9\xd7\xc5\xd4', 'latin1')],
  ])('%s is read in %s if it is not UTF-8', (text, encoding, bytes) => {
    expect(decodeLog(bytes, encoding)).toEqual({ text, encoding });
  });

  it('is recognized line by line', () => {
    const bytes = Buffer.concat([
      Buffer.from('<a> grün 日本\r\n'),
      Buffer.from('<b> gr\xfcn\r\n', 'latin1'),
      Buffer.from('<c> ascii\r<d> naïve\n'),
    ]);
    expect(decodeLog(bytes)).toEqual({
      text: '<a> grün 日本\r\n<b> grün\r\n<c> ascii\r<d> naïve\n',
      encoding: 'UTF-8, 1 line windows-1252',
    });
  });

  it('stays UTF-8 for a line that was cut within a character', () => {
    const cut = Buffer.from('<a> 你好世界').subarray(0, -1);
    expect(decodeLog(cut).text).toBe('<a> 你好世\ufffd');
    expect(decodeLog(Buffer.concat([Buffer.from('[00:00] <a> \u0000ü'), Buffer.from([0xfc])])).text).toBe(
      '[00:00] <a> \ufffdü\ufffd',
    );
  });

  it('decodes every text in a Unicode encoding', () => {
    const text = fc
      .string({ unit: 'grapheme', maxLength: 60 })
      .map((said) => said.replaceAll(/[\p{Cc}\ufeff]/gu, ''))
      .map((said) => `[00:00] <a> ${said}\n`);
    fc.assert(
      fc.property(text, fc.boolean(), (written, mark) => {
        const marked = `${mark ? '\ufeff' : ''}${written}`;
        expect(decodeLog(Buffer.from(marked)).text).toBe(written);
        for (const order of ['le', 'be'] as const)
          if (mark || written.length < 60) expect(decodeLog(utf16(marked, order)).text).toBe(written);
      }),
    );
  });
});

describe('the lines of a log', () => {
  const three = ['[00:00] <a> x', '[00:01] <b> y', '[00:02] <c> z'];

  it.each([
    ['\\n', three.join('\n')],
    ['\\n at the end', `${three.join('\n')}\n`],
    ['\\r\\n', `${three.join('\r\n')}\r\n`],
    ['\\r', `${three.join('\r')}\r`],
    ['\\r\\r\\n', `${three.join('\r\r\n')}\r\r\n`],
    ['some of each', `${three[0]}\r${three[1]}\r\n${three[2]}\n`],
    ['more of the old', `${three[0]}\r${three[1]}\r${three[2]}\n`],
  ])('may end in %s', (_, text) => {
    expect(linesOf(text)).toEqual(three);
  });

  it('keep a carriage return within a text', () => {
    expect(linesOf('[00:00] <a> one\rtwo\n[00:01] <b> y\n')).toEqual(['[00:00] <a> one\rtwo', '[00:01] <b> y']);
  });

  it('may be empty', () => {
    expect(linesOf('a\n\nb\n\n')).toEqual(['a', '', 'b', '']);
    expect(linesOf('')).toEqual([]);
  });
});
