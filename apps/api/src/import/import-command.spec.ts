import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../cli/command.js';
import { readConfig } from '../config.js';
import { importCommand, readWishes } from './import-command.js';

describe('calling the import', () => {
  let folder: string;
  const file = (name: string) => join(folder, name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'verbatim-import-'));
    for (const name of ['2005-09-26.txt', '#ubuntu.2006-02-28.log', 'undated.txt', '2005-02-30.txt', '120050926.txt']) {
      await writeFile(file(name), '[23:59] <a> x\n[00:00] <a> y\n');
    }
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('reads the files with the day that their name or --date tells', async () => {
    const paths = ['2005-09-26.txt', '#ubuntu.2006-02-28.log', 'undated.txt'].map(file);
    const { files, room } = await readWishes([...paths, '--room', 'Cafe\u0301', '--date', '2008-02-29']);
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
    [['undated.txt', '--room', 'r'], /undated.txt holds no date; say with --date/],
    [['2005-02-30.txt', '--room', 'r'], /holds no date/],
    [['120050926.txt', '--room', 'r'], /holds no date/],
    [['undated.txt', '2005-02-30.txt', '--room', 'r', '--date', '2005-09-26'], /--date is for one file/],
    [['2005-09-27.txt', '--room', 'r'], /2005-09-27.txt cannot be read/],
    [['.', '--room', 'r'], /is not a file/],
    [['2005-09-26.txt', '--room', 'r', '--report', '/dev/null/x'], /x cannot be written/],
  ])('with %j is refused before anything is begun', async (words, sentence) => {
    const args = words.map((word) => (/^\.$|txt$/.test(word) ? file(word) : word));
    const begin = () => Promise.reject(new Error('begun'));
    const surroundings = { config: readConfig({}), log: pino(), database: begin, foundation: begin };
    const called = importCommand.run(args, surroundings);
    await expect(called).rejects.toThrow(UsageError);
    await expect(called).rejects.toThrow(sentence);
  });
});
