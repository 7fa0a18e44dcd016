import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formats } from './formats/recognize.js';
import { type IrcLog, noDate, type ReadingSettings, readIrcLog } from './irc-log.js';

const settings = { date: '2005-09-26', timeZone: 'UTC' } as const;
const testData = (name: string) => readFile(new URL(`test-data/${name}.txt`, import.meta.url));

function read(text: string | Uint8Array, more: Partial<ReadingSettings> = {}): IrcLog {
  const log = readIrcLog(Buffer.from(text), { ...settings, ...more });
  if (typeof log === 'string') throw new Error(log);
  return log;
}

const refusal = (text: string, more: Partial<ReadingSettings> = {}) =>
  readIrcLog(Buffer.from(text), { ...settings, ...more });

/** `12:00 nick: text` for each message; other lines by their content. */
const contentOf = ({ lines }: IrcLog) =>
  lines.map((line) => {
    if ('skipped' in line) return line.skipped;
    return `${line.at.slice(0, 19)} ${line.kind} ${line.nick}${'text' in line ? ` ${line.text}` : ''}${line.kind === 'rename' ? ` ${line.newNick}` : ''}`;
  });

describe('a log', () => {
  it('of irssi takes its days from the log', () => {
    const log = read(
      [
        '--- Log opened Sat Dec 31 23:58:02 2011',
        '23:58 -!- Zoë [~zoe@host.example] has joined #chat',
        '23:58 -!- Irssi: #chat: Total of 3 nicks [1 ops, 0 halfops, 0 voices, 2 normal]',
        '23:58 <@Zoë> 新年快乐',
        '23:59 < Ayşe> İyi yıllar <3',
        '23:59  * Ayşe raises a glass',
        '--- Day changed Sun Jan 01 2012',
        '00:00 <+Bob> hello 2012',
        '00:01 -!- Ayşe is now known as Ayşe|away',
        '00:01 -!- mode/#chat [+o Bob] by Zoë',
        '00:02 -!- Zoë changed the topic of #chat to: Ferien',
        '00:02 -!- Bob was kicked from #chat by Zoë [be nice]',
        '00:03 -!- Ayşe|away [~a@h] has quit [Ping timeout: 240 seconds]',
        '00:03 -ChanServ:#chat- a notice',
        '--- Log closed Sun Jan 01 00:05:00 2012',
        '--- Log opened Thu Jan 05 08:00:00 2012',
        '08:00 < Zoë> back',
      ].join('\n'),
      { date: null },
    );
    expect(log.format).toBe('irssi');
    expect(contentOf(log)).toEqual([
      'a line about the log',
      '2011-12-31T23:58:00 join Zoë',
      'a line of the IRC client',
      '2011-12-31T23:58:00 message Zoë 新年快乐',
      '2011-12-31T23:59:00 message Ayşe İyi yıllar <3',
      '2011-12-31T23:59:00 action Ayşe raises a glass',
      'a line about the log',
      '2012-01-01T00:00:00 message Bob hello 2012',
      '2012-01-01T00:01:00 rename Ayşe Ayşe|away',
      'a change of modes',
      'a line about the topic',
      '2012-01-01T00:02:00 kick Bob by Zoë [be nice]',
      '2012-01-01T00:03:00 leave Ayşe|away',
      'a notice',
      'a line about the log',
      'a line about the log',
      '2012-01-05T08:00:00 message Zoë back',
    ]);
  });

  it('of WeeChat is recognized by its tabs', () => {
    const log = read(
      [
        '2019-03-08 21:15:01\t-->\tนก (~nok@203.0.113.9) has joined #คุย',
        '2019-03-08 21:15:01\t--\tTopic for #คุย is "สวัสดี"',
        '2019-03-08 21:15:09\t@นก\tสวัสดี <b>\tแท็บ',
        '2019-03-08 21:16:00\t *\tนก dances',
        '2019-03-08 21:16:30\t--\tนก is now known as Nok_',
        '2019-03-08 21:17:00\t--\tMode #คุย [+o Nok_] by ChanServ',
        '2019-03-08 21:17:10\t<--\tmod has kicked Nok_ (bye)',
        '2019-03-08 21:17:20\t<--\tOlga (~o@h) has quit (Quit: leaving)',
        '2019-03-09 00:00:00\t\tDay changed',
        '2019-03-09 00:00:03\t+Nok_\t',
      ].join('\r\n'),
      { date: null },
    );
    expect(log.format).toBe('weechat');
    expect(contentOf(log)).toEqual([
      '2019-03-08T21:15:01 join นก',
      'a line about the topic',
      '2019-03-08T21:15:09 message นก สวัสดี <b>\tแท็บ',
      '2019-03-08T21:16:00 action นก dances',
      '2019-03-08T21:16:30 rename นก Nok_',
      'a change of modes',
      '2019-03-08T21:17:10 kick Nok_ by mod (bye)',
      '2019-03-08T21:17:20 leave Olga',
      'a line of the IRC client',
      'an empty message',
    ]);
  });

  it('of ZNC', () => {
    const log = read(
      [
        '[23:10:05] *** Joins: ماهر (~m@198.51.100.7)',
        '[23:10:06] <ماهر> مرحبا بالجميع',
        '[23:10:30] * ماهر يلوح',
        '[23:11:00] *** ماهر is now known as Maher',
        '[23:11:10] *** ChanServ sets mode: +v Maher',
        "[23:11:20] *** Maher changes topic to 'x'",
        '[23:12:00] *** Maher was kicked by op (spam (really))',
        '[23:12:01] *** Quits: [a]`b (~a@h) (Remote host closed the connection)',
        '[23:12:02] *** Parts: |c| (~c@h) ()',
        '[23:12:03] -NickServ- a notice',
      ].join('\n'),
    );
    expect(log.format).toBe('znc');
    expect(contentOf(log)).toEqual([
      '2005-09-26T23:10:05 join ماهر',
      '2005-09-26T23:10:06 message ماهر مرحبا بالجميع',
      '2005-09-26T23:10:30 action ماهر يلوح',
      '2005-09-26T23:11:00 rename ماهر Maher',
      'a change of modes',
      'a line about the topic',
      '2005-09-26T23:12:00 kick Maher by op (spam (really))',
      '2005-09-26T23:12:01 leave [a]`b',
      '2005-09-26T23:12:02 leave |c|',
      'a notice',
    ]);
  });

  it('of HexChat takes the year from its headings, and continues past the end of a year', () => {
    const log = read(
      [
        '**** BEGIN LOGGING AT Fri Dec 30 10:00:00 2016',
        '',
        'Dec 30 10:00:01 *\tNow talking on #räksmörgås',
        'Dec 30 10:00:01 *\tÅsa (~asa@h) has joined',
        'Dec 30 10:00:09 <@Åsa>\thej på er',
        'Dec 31 23:59:59 *\tÅsa dansar',
        'Jan 01 00:00:01 <Åsa>\tgott nytt år',
        'Jan 01 00:01:00 *\tÅsa is now known as Åse',
        'Jan 01 00:02:00 *\top has kicked Åse from #räksmörgås (nog)',
        'Jan 01 00:02:30 *\tOla has quit (Quit: hej)',
        'Jan 01 00:02:40 *\top gives channel operator status to Ola',
        'Jan 01 00:02:50 -ChanServ-\tnotice',
        '**** ENDING LOGGING AT Sun Jan  1 00:03:00 2017',
      ].join('\n'),
      { date: null },
    );
    expect(log.format).toBe('hexchat');
    expect(contentOf(log)).toEqual([
      'a line about the log',
      'an empty line',
      'a line of the IRC client',
      '2016-12-30T10:00:01 join Åsa',
      '2016-12-30T10:00:09 message Åsa hej på er',
      '2016-12-31T23:59:59 action Åsa dansar',
      '2017-01-01T00:00:01 message Åsa gott nytt år',
      '2017-01-01T00:01:00 rename Åsa Åse',
      '2017-01-01T00:02:00 kick Åse by op (nog)',
      '2017-01-01T00:02:30 leave Ola',
      'a change of modes',
      'a notice',
      'a line about the log',
    ]);
  });

  it('of mIRC loses its colours', () => {
    const log = read(
      [
        'Session Start: Mon Oct 03 22:59:30 2005',
        'Session Ident: #Привет',
        '[22:59] * Now talking in #Привет',
        '\u000303[22:59] * Ольга (~o@h) has joined #Привет',
        '[22:59] <\u000304@Ольга\u000f> \u0002Всем\u0002 \u000304,12привет\u0003!',
        '[23:00] * Ольга машет',
        '[23:30] * Ольга is now known as Olga',
        '[23:31] * op sets mode: +o Olga',
        '[23:32] * Olga was kicked by op (пока)',
        '[00:10] * Ян (~y@h) Quit (Ping timeout)',
        '[00:11] * Ив (~i@h) has left #Привет',
        'Session Close: Tue Oct 04 00:12:00 2005',
      ].join('\r\n'),
      { date: null },
    );
    expect(log.format).toBe('mirc');
    expect(contentOf(log)).toEqual([
      'a line about the log',
      'a line about the log',
      'a line of the IRC client',
      '2005-10-03T22:59:00 join Ольга',
      '2005-10-03T22:59:00 message Ольга Всем привет!',
      '2005-10-03T23:00:00 action Ольга машет',
      '2005-10-03T23:30:00 rename Ольга Olga',
      'a change of modes',
      '2005-10-03T23:32:00 kick Olga by op (пока)',
      '2005-10-04T00:10:00 leave Ян',
      '2005-10-04T00:11:00 leave Ив',
      'a line about the log',
    ]);
  });

  it.each([
    ['[06:53:11] <bob> 👋🏽\n[06:53:12] *** bob joined', 'plain', '2005-09-26T06:53:11 message bob 👋🏽'],
    ['06:53:11 <bob> x', 'irssi', '2005-09-26T06:53:11 message bob x'],
    ['2007-02-03 06:53:11 <bob> x', 'irssi', '2007-02-03T06:53:11 message bob x'],
    ['[2007-02-03 06:53:11] <bob> x', 'plain', '2007-02-03T06:53:11 message bob x'],
    ['2007-02-03T06:53:11.5+02:00 <bob> x', 'plain', '2007-02-03T04:53:11 message bob x'],
    ['[6:53 pm] <bob> x', 'mirc', '2005-09-26T18:53:00 message bob x'],
    ['[12:05am] <bob> x', 'mirc', '2005-09-26T00:05:00 message bob x'],
  ])('%j is read', (text, format, first) => {
    const log = read(text);
    expect(log.format).toBe(format);
    expect(contentOf(log)[0]).toBe(first);
  });

  it.each([
    ['', /empty/],
    [' \n\r\n\t', /empty/],
    ['{"messages": [{"user": "U1", "text": "hi"}]}', /no format that is known.*irssi.*weechat/],
    ['id,name\n1,Ada\n2,Bob', /no format that is known/],
    ['# Title\n\n* one thing\n* another thing\n\nProse <b>bold</b>.', /no format that is known/],
    ['<html>\n<body>\n<p> hello\n</body>\n</html>', /no format that is known/],
    ['= Manual\n\n=== Install the server\n\nText.\n\n=== Start the server\n\nText.', /no format that is known/],
    [
      '--- Log opened Mon Sep 26 06:53:11 2005\n--- Log closed Mon Sep 26 07:53:11 2005',
      /irssi it has nothing to import/,
    ],
    ['[06:53] <a>', /nothing to import/],
  ])('%j is refused', (text, reason) => {
    expect(refusal(text)).toMatch(reason);
  });

  it.each([
    ['--- Log opened Mo Okt 03 06:53:11 2005\n06:53 <bob> x', '2005-10-03T06:53:00 message bob x'],
    ['--- Day changed пн окт 03 2005\n06:53 <bob> x', '2005-10-03T06:53:00 message bob x'],
    [
      '**** BEGINN DER AUFZEICHNUNG AM Mo Mär  7 10:00:00 2016\nMär 07 10:00:01 <bob>\tx',
      '2016-03-07T10:00:01 message bob x',
    ],
    [
      '**** BEGIN LOGGING AT mar. 27 sept. 2016 10:00:00\nsept. 27 10:00:01 <bob>\tx',
      '2016-09-27T10:00:01 message bob x',
    ],
  ])('has headings in the language of its owner: %j', (text, message) => {
    expect(contentOf(read(text, { date: null }))[1]).toBe(message);
  });

  it('without days needs a --date', () => {
    expect(refusal('[06:53] <a> x', { date: null })).toBe(noDate);
    expect(refusal('Sep 26 06:53:11 <a>\tx', { date: null })).toBe(noDate);
    expect(contentOf(read('Sep 27 06:53:11 <a>\tx', { date: '2009-09-26' }))).toEqual([
      '2009-09-27T06:53:11 message a x',
    ]);
  });

  it('is read in the requested format', () => {
    expect(read('[06:53] <a> x', { format: 'plain' }).format).toBe('plain');
    expect(refusal('[06:53] <a> x', { format: 'slack' })).toMatch(/There is no format slack/);
    expect(refusal('[06:53] <a> x', { format: 'weechat' })).toMatch(/nothing to import/);
  });

  it('has one person for a nickname with any rank prefix', () => {
    const nicks = ['bob', ' bob', '@bob', '+bob', '%bob', '&bob', '~bob', '!bob', '@+bob'];
    const lines = nicks.flatMap((nick) => [`06:53 <${nick}> x`, `06:53 -!- bob [b@h] has joined #c`]);
    const { lines: items } = read(lines.join('\n'));
    expect(new Set(items.map((item) => ('nick' in item ? item.nick : '')))).toEqual(new Set(['bob']));
  });

  it('is recognised although its first lines are something else', () => {
    const lines = [
      'Welcome!',
      'to the archive',
      '',
      ...Array.from({ length: 5 }, () => '[10:00:00] *** Joins: a (b@c)'),
    ];
    expect(read(lines.join('\n')).format).toBe('znc');
  });

  it('is recognised by later lines if its first ones fit several formats', () => {
    const plainTalk = Array.from({ length: 300 }, (_, i) => `[10:00] <a> ${i}`);
    expect(read([...plainTalk, '[10:01] * b (b@c) has joined #d'].join('\n')).format).toBe('mirc');
    expect(read([...plainTalk, '=== b [n=b@c]  has joined #d'].join('\n')).format).toBe('ubuntu');
  });

  it('has one item for each line, in every format', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ...['[06:53] ', '06:53 ', '[06:53:11] ', '2005-09-26 06:53:11\t', 'Sep 26 06:53:11 ', '=== ', '<a> ', ' * '],
        ...['*** Joins: ', '-!- ', '-->\t', '<@b>', '\t', 'b', ' has joined', ' is now known as ', '[', ']', ' ', '#c'],
        ...['--- Day changed ', 'Session Start: ', '**** BEGIN LOGGING AT ', 'Mon Feb 30 2005', '\u0003', '\u00034,'],
      ),
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'binary-ascii' }),
    );
    const line = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('').replaceAll(/[\r\n]/g, ''));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), fc.constantFrom(...formats), (lines, { name }) => {
        const log = refusal(lines.map((content) => `${content}\n`).join(''), { format: name });
        if (typeof log === 'string') return;
        expect(log.lines.map((item) => item.line)).toEqual(lines.map((_, index) => index + 1));
        for (const item of log.lines) {
          expect('skipped' in item ? item.skipped : item.nick).not.toBe('');
          if ('at' in item) expect(item.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
        }
      }),
    );
  });

  it('returns what was said, by any speaker and in any format', () => {
    const nick = fc.stringMatching(/^[A-Za-zäöüа-я一-龥[\]\\`_^{}|][A-Za-z0-9äöüа-я一-龥[\]\\`_^{}|-]{0,15}$/u);
    const text = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 80 })
      .filter((said) => !/[\p{Cc}\p{Cs}\ufffd\u2028]/u.test(said) && said.trim() === said)
      .map((said) => said.normalize('NFC'));
    const writers = {
      ubuntu: (who: string, said: string) => `[10:00] <${who}> ${said}`,
      irssi: (who: string, said: string) => `10:00 <@${who}> ${said}`,
      weechat: (who: string, said: string) => `2005-09-26 10:00:00\t+${who}\t${said}`,
      znc: (who: string, said: string) => `[10:00:00] <${who}> ${said}`,
      hexchat: (who: string, said: string) => `Sep 26 10:00:00 <${who}>\t${said}`,
      mirc: (who: string, said: string) => `[10:00] <%${who}> ${said}`,
      plain: (who: string, said: string) => `2005-09-26T10:00:00Z <${who}> ${said}`,
    };
    fc.assert(
      fc.property(fc.array(fc.tuple(nick, text), { minLength: 1, maxLength: 20 }), (said) => {
        for (const write of Object.values(writers)) {
          const { lines } = read(said.map(([who, what]) => write(who, what)).join('\n'));
          expect(lines.map((item) => ('text' in item ? [item.nick, item.text] : item))).toEqual(
            said.map(([who, what]) => [who.normalize('NFC'), what]),
          );
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is read in linear time', () => {
    const cost = (size: number) => {
      const hostile = [
        `=== ${'] '.repeat(size)}${']'.repeat(size)} [x`,
        `=== ${'a '.repeat(size)}`,
        `[00:00] <${'>'.repeat(size)}`,
        `[00:00] *** ${'( '.repeat(size)}`,
        `00:00 -!- a${' [b]'.repeat(size)}`,
        `Sep 26 00:00:00 *\ta${' has left ('.repeat(size)}`,
        `2005-09-26 00:00:00\t<--\ta ${'has quit '.repeat(size)}`,
        `[00:00] ${'\u0003'.repeat(size)}`,
        '\r'.repeat(size),
      ].join('\n');
      const begun = process.cpuUsage();
      for (const { name } of formats) refusal(hostile, { format: name });
      refusal(hostile);
      const { user } = process.cpuUsage(begun);
      return user;
    };
    cost(2_000);
    expect(cost(80_000)).toBeLessThan(Math.max(cost(8_000), 20_000) * 60);
  });

  it.each([
    ['2005-09-26', { message: 1258, action: 8, join: 185, leave: 34, rename: 9, 'a change of modes': 6 }],
    ['2013-05-05', { message: 1127, action: 2, rename: 34 }],
  ])('of the real channel, %s, is read to the last line', async (name, counts) => {
    const bytes = await testData(name);
    const { format, encoding, lines } = read(bytes, { date: name });
    const found: Record<string, number> = {};
    for (const item of lines) {
      const kind = 'skipped' in item ? item.skipped : item.kind;
      found[kind] = (found[kind] ?? 0) + 1;
    }
    expect(found).toEqual(counts);
    expect([format, encoding]).toEqual(['ubuntu', 'UTF-8']);
    expect(lines).toHaveLength(bytes.toString().split('\n').length - 1);
  });
});
