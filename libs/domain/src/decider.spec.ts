import { expect, it } from 'vitest';
import { parseStream, streamName } from './decider.js';

it('a stream is named by its category and an id, which may hold hyphens', () => {
  const id = '01907a3c-0000-7000-8000-000000000000';
  expect(streamName('room', id)).toBe(`room-${id}`);
  expect(parseStream(`room-${id}`)).toEqual({ category: 'room', id });
});
