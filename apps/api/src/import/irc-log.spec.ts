import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLog, readIrcLog } from './irc-log.js';

const testData = (name: string) => readFile(new URL(`test-data/${name}.txt`, import.meta.url));

/** What a line tells when it stands alone, without its number and time. */
function read(line: string) {
  const [item] = readIrcLog(line, '2005-09-26');
  if (!item) return null;
  if ('skipped' in item) return item.skipped;
  const { line: _, at: __, ...fact } = item;
  return fact;
}

describe('a line of an IRC log', () => {
  it.each([
    ['[06:53] <Seveas> boxerboy, hello', { kind: 'message', nick: 'Seveas', text: 'boxerboy, hello' }],
    ['[06:53] <a>  two spaces ', { kind: 'message', nick: 'a', text: ' two spaces ' }],
    ['[06:53] <a|b^`{}\\> <b> [06:53] > x', { kind: 'message', nick: 'a|b^`{}\\', text: '<b> [06:53] > x' }],
    ['[06:53] <oO[NOVA] Oo> hi', { kind: 'message', nick: 'oO[NOVA] Oo', text: 'hi' }],
    ['[06:53] <[FiDo] > hi', { kind: 'message', nick: '[FiDo] ', text: 'hi' }],
    [
      '[06:53] <a> \u0002bold\u0002 \u000304red\t\u0008',
      { kind: 'message', nick: 'a', text: '\u0002bold\u0002 \u000304red\t\u0008' },
    ],
    ['[06:53] <a> one\rtwo\u2028three\r', { kind: 'message', nick: 'a', text: 'one\rtwo\u2028three' }],
    ['[06:53] <Jose\u0301> cafe\u0301', { kind: 'message', nick: 'Jos\u00e9', text: 'caf\u00e9' }],
    ['[06:53] <a>\u0338 x', { kind: 'message', nick: 'a', text: '\u0338 x' }],
    ['[06:53] <a> === b has joined #ubuntu', { kind: 'message', nick: 'a', text: '=== b has joined #ubuntu' }],
    ['[14:39]  * jaggz- nudges v3ctor', { kind: 'action', nick: 'jaggz-', text: 'nudges v3ctor' }],
    ['[14:39] * [n0mad] waves', { kind: 'action', nick: '[n0mad]', text: 'waves' }],
    ['=== linner has an ATI device too', { kind: 'action', nick: 'linner', text: 'has an ATI device too' }],
    ["=== crashtest 's search", { kind: 'action', nick: 'crashtest', text: "'s search" }],
    ['=== Canute np: Club House', { kind: 'action', nick: 'Canute', text: 'np: Club House' }],
    ['=== x is now looking up options', { kind: 'action', nick: 'x', text: 'is now looking up options' }],
    ['=== x is now known as the king', { kind: 'action', nick: 'x', text: 'is now known as the king' }],
    ['=== x has left the building', { kind: 'action', nick: 'x', text: 'has left the building' }],
    ['=== bur[n] er_ dances', { kind: 'action', nick: 'bur[n] er_', text: 'dances' }],
    ['=== [FiDo]  dances', { kind: 'action', nick: '[FiDo] ', text: 'dances' }],
    ['=== tvo [n=tobi@a.nl]  has joined #ubuntu', { kind: 'join', nick: 'tvo' }],
    ['=== xtr [i=9@a.net]  has joined #Ubuntu', { kind: 'join', nick: 'xtr' }],
    ['=== Carnage\\ [n=c@d.net]  has joined #ubuntu', { kind: 'join', nick: 'Carnage\\' }],
    ['=== oO[NOVA] Oo [n=a@b.nl]  has joined #ubuntu', { kind: 'join', nick: 'oO[NOVA] Oo' }],
    ['=== [FiDo]  [n=Paul@b.ca]  has joined #ubuntu', { kind: 'join', nick: '[FiDo] ' }],
    ['=== tvo has joined', { kind: 'join', nick: 'tvo' }],
    ['=== [n0mad] has joined #ubuntu', { kind: 'join', nick: '[n0mad]' }],
    ['=== tvo [n=a@b.nl]  has left #ubuntu []', { kind: 'leave', nick: 'tvo' }],
    ['=== manuk [n=a@b.it]  has left #ubuntu ["Sto]', { kind: 'leave', nick: 'manuk' }],
    ['=== rc-1 [n=a@b.net]  has left #ubuntu [requested]', { kind: 'leave', nick: 'rc-1' }],
    ['=== tvo has quit IRC (Ping timeout)', { kind: 'leave', nick: 'tvo' }],
    ['=== oli|0xff is now known as Oli', { kind: 'rename', nick: 'oli|0xff', newNick: 'Oli' }],
    ['=== [n0mad] is now known as lil_dc2', { kind: 'rename', nick: '[n0mad]', newNick: 'lil_dc2' }],
    ['=== x is now known as [-x-]', { kind: 'rename', nick: 'x', newNick: '[-x-]' }],
    ['=== [Nige]  is now known as Nige', { kind: 'rename', nick: '[Nige] ', newNick: 'Nige' }],
    ['=== u_ was kicked off #ubuntu by A (A)', { kind: 'kick', nick: 'u_', text: 'by A (A)' }],
  ])('%j tells %j', (line, fact) => {
    expect(read(line)).toEqual(fact);
  });

  it.each([
    ['[01:51] <DeltaS4>', 'an empty message'],
    ['[01:51] <DeltaS4> ', 'an empty message'],
    ['[01:51]  * DeltaS4', 'an empty action'],
    ['=== mode/#ubuntu [+o nalioth]  by ChanServ', 'a change of modes'],
    ['=== ChanServ changed the topic of #ubuntu to: Hi', 'a line about the topic'],
    ['=== Topic for #ubuntu: Hi', 'a line about the topic'],
    [' ', 'an empty line'],
    ['[24:00] <a> b', 'a line of no known form'],
    ['[06:53] -a- a notice', 'a line of no known form'],
    ['[06:53] <> b', 'a line of no known form'],
    ['===', 'a line of no known form'],
    ['=== #ubuntu: a notice', 'a line of no known form'],
    ['Hello', 'a line of no known form'],
  ])('%j is skipped: %s', (line, reason) => {
    expect(read(line)).toBe(reason);
  });
});

describe('the times of an IRC log', () => {
  const times = (log: string, date = '2011-12-31') =>
    readIrcLog(log, date).map((item) => ('at' in item ? item.at : null));

  it('begin on the given day, and go on to the next one when the clock falls back', () => {
    expect(times('[23:58] <a> x\n[23:59] <a> x\n[00:00] <a> x\n[00:00] <a> x\n[12:00] <a> x\n[11:59] <a> x')).toEqual([
      '2011-12-31T23:58:00.000Z',
      '2011-12-31T23:59:00.000Z',
      '2012-01-01T00:00:00.000Z',
      '2012-01-01T00:00:00.000Z',
      '2012-01-01T12:00:00.000Z',
      '2012-01-02T11:59:00.000Z',
    ]);
  });

  it('are those of the line before for lines that have none, and at the beginning that of the first that has one', () => {
    expect(times('=== a has joined\n[06:10] <a> x\n=== b has joined\n[06:11] <a>\n=== a has left')).toEqual([
      '2011-12-31T06:10:00.000Z',
      '2011-12-31T06:10:00.000Z',
      '2011-12-31T06:10:00.000Z',
      null,
      '2011-12-31T06:11:00.000Z',
    ]);
    expect(times('=== a has joined')).toEqual(['2011-12-31T00:00:00.000Z']);
  });

  it('go on past midnight also on a line that is skipped', () => {
    expect(times('[23:59] <a> x\n[00:10] <a>\n[00:05] <a> x')).toEqual([
      '2011-12-31T23:59:00.000Z',
      null,
      '2012-01-02T00:05:00.000Z',
    ]);
  });
});

describe('a log file', () => {
  it('has one item for each line, whatever its lines are', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '[06:53] ',
        '=== ',
        '<a> ',
        ' * ',
        'b',
        ' has joined',
        ' is now known as ',
        '[',
        ']',
        ' ',
        '\r',
        '#c',
      ),
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'binary-ascii' }),
    );
    const line = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('').replaceAll('\n', ''));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), (lines) => {
        const items = readIrcLog(lines.map((content) => `${content}\n`).join(''), '2005-09-26');
        expect(items.map((item) => item.line)).toEqual(lines.map((_, index) => index + 1));
        for (const item of items) expect('skipped' in item ? item.skipped : item.nick).not.toBe('');
      }),
    );
  });

  it('is read in linear time', () => {
    const hostile = `=== ${'] '.repeat(100_000)}${']'.repeat(100_000)} [x`;
    const begun = performance.now();
    readIrcLog(`${hostile}\n=== ${'a '.repeat(100_000)}\n[00:00] <${'>'.repeat(100_000)}`, '2005-09-26');
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  it('is UTF-8; NUL and what is not UTF-8 are replaced', () => {
    const bytes = Buffer.concat([Buffer.from('\ufeff[00:00] <a> \u0000ü'), Buffer.from([0xfc, 0x0a])]);
    expect(readIrcLog(decodeLog(bytes), '2005-09-26')).toMatchObject([{ text: '\ufffdü\ufffd' }]);
  });

  it.each([
    ['2005-09-26', { message: 1258, action: 8, join: 185, leave: 34, rename: 9, 'a change of modes': 6 }],
    ['2013-05-05', { message: 1127, action: 2, rename: 34 }],
  ])('of the real channel, %s, is read to the last line', async (name, counts) => {
    const text = decodeLog(await testData(name));
    const items = readIrcLog(text, name);
    const found: Record<string, number> = {};
    for (const item of items) {
      const kind = 'skipped' in item ? item.skipped : item.kind;
      found[kind] = (found[kind] ?? 0) + 1;
    }
    expect(found).toEqual(counts);
    expect(items).toHaveLength(text.split('\n').length - 1);
  });
});
