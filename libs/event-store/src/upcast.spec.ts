import { describe, expect, it } from 'vitest';
import { schemaOf, upcast, upcasters } from './upcast.js';

/** Messages once had a body, which became the text; later they got a kind. */
const table = {
  MessagePosted: {
    1: ({ body, ...rest }: Record<string, unknown>) => ({ ...rest, text: body }),
    2: (data: Record<string, unknown>) => ({ ...data, kind: 'text' }),
  },
};

describe('an event of an earlier shape', () => {
  it('is read as if it had always had the shape of today', () => {
    const today = { messageId: 'm1', text: 'Hello', kind: 'text' };
    expect(upcast('MessagePosted', 1, { messageId: 'm1', body: 'Hello' }, table)).toEqual(today);
    expect(upcast('MessagePosted', 2, { messageId: 'm1', text: 'Hello' }, table)).toEqual(today);
    expect(upcast('MessagePosted', 3, today, table)).toBe(today);
  });

  it('is read as it is when its type never changed, or comes from a later release', () => {
    const data = { userId: 'u1' };
    expect(upcast('MemberJoined', 1, data, table)).toBe(data);
    expect(upcast('MessagePosted', 9, data, table)).toBe(data);
    expect(upcast('RoomPainted', 1, data, table)).toBe(data);
  });

  it('stays as it was stored', () => {
    const stored = Object.freeze({ messageId: 'm1', body: 'Hello' });
    upcast('MessagePosted', 1, stored, table);
    expect(stored).toEqual({ messageId: 'm1', body: 'Hello' });
  });
});

it('events are recorded under the latest shape', () => {
  expect(schemaOf('MessagePosted', table)).toBe(3);
  expect(schemaOf('MemberJoined', table)).toBe(1);
});

it('every type has a step from each of its shapes to the next', () => {
  for (const steps of Object.values(upcasters)) {
    expect(Object.keys(steps).map(Number)).toEqual(Object.keys(steps).map((_, i) => i + 1));
  }
});
