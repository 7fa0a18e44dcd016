import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../../config.js';
import { UsageError } from '../command.js';
import { importCommand, readOptions } from './import-command.js';

describe('calling the import', () => {
  let folder: string;
  const file = (name: string) => join(folder, name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'verbatim-import-'));
    for (const name of ['2005-09-26.txt', '#ubuntu.2006-02-28.log', 'undated.txt', '2005-02-30.txt', '120050926.txt']) {
      await writeFile(file(name), '[23:59] <a> x\n[00:00] <a> y\n');
    }
    await writeFile(file('empty.txt'), '');
    await writeFile(file('slack.txt'), '[{"type": "message", "user": "U1", "ts": "1405894322.002768", "text": "hi"}]');
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    ['chat.20060228.log', '2006-02-28'],
    ['chat_2006-02-28.log', '2006-02-28'],
  ])('reads the day from the name %s', async (name, day) => {
    await writeFile(file(name), '[23:59:00] <a> x\n');
    const { files } = await readOptions([file(name), '--room', 'r']);
    expect(files.map(({ lines }) => lines.map((line) => 'at' in line && line.at.slice(0, 10)))).toEqual([[day]]);
  });

  it('reads a log that contains dates without --date, in the given zone', async () => {
    await writeFile(file('irssi.log'), '--- Log opened Thu Jun 15 10:00:00 2006\n10:00 <@bob> x\n');
    const { files } = await readOptions([file('irssi.log'), '--room', 'r', '--timezone', 'Asia/Tokyo']);
    expect(files[0]?.lines[1]).toMatchObject({ nick: 'bob', at: '2006-06-15T01:00:00.000Z' });
  });

  it('previews the import without a database', async () => {
    const written: string[] = [];
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(`${text}`) > 0);
    const begin = () => Promise.reject(new Error('begun'));
    const surroundings = { config: readConfig({}), log: pino(), database: begin, tools: begin };
    const args = [file('2005-09-26.txt'), '--room', 'r', '--dry-run', '--report', file('report')];
    const code = await importCommand.run(args, surroundings).finally(() => write.mockRestore());
    expect(code).toBe(0);
    expect(written.join('')).toMatch(
      /2 messages.*\n.*format ubuntu, UTF-8, from 2005-09-26T23:59.* to 2005-09-27T00:00/,
    );
    expect(written.join('')).toMatch(/1 person.\nNothing was written. At most 3 events .* room “r”/);
  });

  it('reads the files with the day in their name or --date', async () => {
    const paths = ['2005-09-26.txt', '#ubuntu.2006-02-28.log', 'undated.txt'].map(file);
    const { files, room } = await readOptions([...paths, '--room', 'Cafe\u0301', '--date', '2008-02-29']);
    expect(room).toBe('Caf\u00e9');
    expect(files.map(({ name }) => name)).toEqual(paths);
    expect(files.map(({ lines }) => lines.map((line) => 'at' in line && line.at.slice(0, 10)))).toEqual([
      ['2005-09-26', '2005-09-27'],
      ['2006-02-28', '2006-03-01'],
      ['2008-02-29', '2008-03-01'],
    ]);
    expect(new Set(files.map(({ digest }) => digest)).size).toBe(1);
  });

  it.each([
    [[], /at least one log file/],
    [['2005-09-26.txt'], /--room/],
    [['2005-09-26.txt', '--room'], /--room/],
    [['2005-09-26.txt', '--room', ''], /name of the room must not be empty/],
    [['2005-09-26.txt', '--room', '   '], /name of the room must not be empty/],
    [['2005-09-26.txt', '--room', 'x'.repeat(81)], /name of the room must have at most 80/],
    [['2005-09-26.txt', '--room', 'r', '--what'], /--what/],
    [['2005-09-26.txt', '--room', 'r', '--date', '26.9.2005'], /YYYY-MM-DD/],
    [['2005-09-26.txt', '--room', 'r', '--date', '2005-02-30'], /YYYY-MM-DD/],
    [
      ['undated.txt', '--room', 'r'],
      /undated.txt cannot be imported. Neither the log nor its name holds a date; say with --date/,
    ],
    [['2005-02-30.txt', '--room', 'r'], /nor its name holds a date/],
    [['120050926.txt', '--room', 'r'], /nor its name holds a date/],
    [['undated.txt', '2005-02-30.txt', '--room', 'r', '--date', '2005-09-26'], /--date is for one file/],
    [['2005-09-27.txt', '--room', 'r'], /2005-09-27.txt cannot be read/],
    [['.', '--room', 'r'], /is not a file/],
    [['empty.txt', '--room', 'r'], /empty.txt cannot be imported. It is empty/],
    [
      ['slack.txt', '2005-09-26.txt', '--room', 'r'],
      /slack.txt cannot be imported. It has no format that is known. Known are: .*znc.*irssi.*weechat.*hexchat.*mirc/,
    ],
    [['2005-09-26.txt', '--room', 'r', '--timezone', 'Mars/Olympus'], /no time zone Mars/],
    [['2005-09-26.txt', '--room', 'r', '--encoding', 'klingon'], /encoding klingon is not known/],
    [['2005-09-26.txt', '--room', 'r', '--format', 'slack'], /no format slack. Known are/],
    [['slack.txt', '--room', 'r', '--dry-run'], /no format that is known/],
    [['2005-09-26.txt', '--room', 'r', '--report', '/dev/null/x'], /x cannot be written/],
  ])('with %j is refused before anything starts', async (words, sentence) => {
    const args = words.map((word) => (/^\.$|txt$/.test(word) ? file(word) : word));
    const begin = () => Promise.reject(new Error('begun'));
    const surroundings = { config: readConfig({}), log: pino(), database: begin, tools: begin };
    const called = importCommand.run(args, surroundings);
    await expect(called).rejects.toThrow(UsageError);
    await expect(called).rejects.toThrow(sentence);
  });
});
