import { describe, expect, it } from 'vitest';
import { ubuntu } from './ubuntu.js';

const read = (line: string) => ubuntu.parse(line).says;

describe('a line of a log of irclogs.ubuntu.com', () => {
  it.each([
    ['[06:53] <Seveas> boxerboy, hello', { kind: 'message', nick: 'Seveas', text: 'boxerboy, hello' }],
    ['[06:53] <a>  two spaces ', { kind: 'message', nick: 'a', text: ' two spaces ' }],
    ['[06:53] <a|b^`{}\\> <b> [06:53] > x', { kind: 'message', nick: 'a|b^`{}\\', text: '<b> [06:53] > x' }],
    ['[06:53] <oO[NOVA] Oo> hi', { kind: 'message', nick: 'oO[NOVA] Oo', text: 'hi' }],
    ['[06:53] <[FiDo] > hi', { kind: 'message', nick: '[FiDo] ', text: 'hi' }],
    ['[06:53] <a> tab\tbell\u0007', { kind: 'message', nick: 'a', text: 'tab\tbell\u0007' }],
    ['[06:53] <@a> x', { kind: 'message', nick: 'a', text: 'x' }],
    ['=== +a is now known as %b', { kind: 'rename', nick: 'a', newNick: 'b' }],
    ['[06:53] <a> one\rtwo\u2028three', { kind: 'message', nick: 'a', text: 'one\rtwo\u2028three' }],
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
  ])('%j is read as %j', (line, fact) => {
    expect(read(line)).toEqual(fact);
  });

  it.each([
    ['[01:51] <DeltaS4>', 'an empty message'],
    ['[01:51] <DeltaS4> ', 'an empty message'],
    ['[01:51]  * DeltaS4', 'an empty action'],
    ['=== mode/#ubuntu [+o nalioth]  by ChanServ', 'a change of modes'],
    ['=== ChanServ changed the topic of #ubuntu to: Hi', 'a line about the topic'],
    ['=== Topic for #ubuntu: Hi', 'a line about the topic'],
    ['[24:00] <a> b', null],
    ['[06:53] -a- a notice', null],
    ['[06:53] <> b', null],
    ['===', null],
    ['=== #ubuntu: a notice', null],
    ['Hello', null],
  ])('%j is skipped: %s', (line, reason) => {
    expect(read(line)).toBe(reason);
  });
});
