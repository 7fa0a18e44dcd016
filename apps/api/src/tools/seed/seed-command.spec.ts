import { describe, expect, it } from 'vitest';
import { UsageError } from '../command.js';
import { readOptions } from './seed-command.js';

const now = new Date('2026-03-01T12:00:00Z');
const plenty = ['--users', '10', '--rooms', '2', '--messages', '30'];

describe('calling the seed', () => {
  it('uses seed 1 and today by default', () => {
    expect(readOptions(plenty, now)).toEqual({ users: 10, rooms: 2, messages: 30, seed: 1, until: '2026-03-01' });
    expect(readOptions([...plenty, '--seed', '0', '--until', '2024-02-29'], now)).toMatchObject({
      seed: 0,
      until: '2024-02-29',
    });
  });

  it.each([
    [[], /--users/],
    [['--users', '1', '--rooms', '2', '--messages', '3'], /--users must be a whole number from 2/],
    [['--users', '10', '--rooms', '0', '--messages', '3'], /--rooms/],
    [['--users', '10', '--rooms', '2', '--messages', '1e3'], /--messages/],
    [['--users', '10', '--rooms', '2', '--messages', '-3'], /--messages/],
    [[...plenty, '--seed', '0.5'], /--seed/],
    [[...plenty, '--until', '2025-02-29'], /--until/],
    [[...plenty, '--until', 'today'], /--until/],
    [[...plenty, '--force'], /--force/],
    [[...plenty, 'more'], /more/],
  ])('with %j is refused', (args, sentence) => {
    expect(() => readOptions(args, now)).toThrow(UsageError);
    expect(() => readOptions(args, now)).toThrow(sentence);
  });
});
