import { pino } from 'pino';
import { expect, it } from 'vitest';
import { readConfig } from '../../config.js';
import { UsageError } from '../command.js';
import { copyCommand } from './copy-command.js';
import { verifyCommand } from './verify-command.js';

const begin = () => Promise.reject(new Error('begun'));
const surroundings = { config: readConfig({}), log: pino(), database: begin, tools: begin };

it.each([
  [copyCommand, ['--from', 'postgres://a/b'], 'Name the source with --from'],
  [copyCommand, ['--from', 'postgres://a/b', '--to', 'postgres://a/b'], 'name the same log'],
  [copyCommand, ['--from', 'mysql://me:secret@a/b', '--to', 'postgres://a/b'], 'There is no event store for URLs'],
  [copyCommand, ['everything'], '--help'],
  [verifyCommand, ['--url', 'somewhere'], 'There is no event store for URLs'],
  [verifyCommand, ['--uri', 'postgres://a/b'], '--help'],
])('called wrongly, $words tells how it is called', async (command, args, sentence) => {
  const called = command.run(args, surroundings);
  await expect(called).rejects.toThrow(UsageError);
  await expect(called).rejects.toThrow(sentence);
  await expect(called).rejects.not.toThrow('secret');
});
