import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { Connection } from '../doors/websocket/connection.js';
import { noLimits } from '../limits/limit-settings.js';
import { Limits } from '../limits/limits.js';
import { Following, MOST_HELD } from './following.js';
import type { LiveEvent } from './live-event.js';

const ada = { id: '0198a000-0000-7000-8000-000000000001', role: 'user' } as const;
const connected = () =>
  new Connection(
    new WebSocket('ws://127.0.0.1:1').on('error', () => undefined),
    new Socket(),
    ada,
    'ada',
    '0198a000-0000-7000-8000-000000000002',
    'all',
    new Limits(noLimits, { note: () => undefined }).connection(ada.id),
  );
const events = (count: number) =>
  Array.from({ length: count }, (_, revision) => ({ revision: BigInt(revision) }) as LiveEvent);

test('events held back are given when it goes live, but those that the past had already', () => {
  const following = new Following(connected(), 'a');
  following.hold(events(10));
  following.sent = 6n;
  expect(following.goLive()?.map(({ revision }) => revision)).toEqual([7n, 8n, 9n]);
});

test('all rooms of a connection together hold back no more than the bound; what exceeds it is to be read again', () => {
  const connection = connected();
  const followings = ['a', 'b', 'c'].map((room) => new Following(connection, room));
  const [first, second, third] = followings as [Following, Following, Following];
  first.hold(events(MOST_HELD / 2));
  second.hold(events(MOST_HELD / 2));
  third.hold(events(1));
  second.hold(events(1));
  expect(connection.eventsHeld).toBe(MOST_HELD / 2);
  expect(third.goLive()).toBeNull();
  expect(second.goLive()).toBeNull();
  expect(first.goLive()).toHaveLength(MOST_HELD / 2);

  // What was let go makes space for others.
  third.hold(events(MOST_HELD));
  expect(connection.eventsHeld).toBe(MOST_HELD);
  third.end();
  expect(connection.eventsHeld).toBe(0);
});
