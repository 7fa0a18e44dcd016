import { expect, test } from 'vitest';
import { Follower, Following, MAX_HELD } from './following.js';
import type { LiveEvent } from './live-event.js';
import { TestSubscriber } from './subscriber.testing.js';

const follower = () => new Follower(new TestSubscriber({ id: 'ada', role: 'user' }));
const events = (count: number) =>
  Array.from({ length: count }, (_, revision) => ({ revision: BigInt(revision) }) as LiveEvent);

test('buffered events are returned when it goes live, except those already in the history', () => {
  const following = new Following(follower(), 'a');
  following.hold(events(10));
  following.sent = 6n;
  expect(following.goLive()?.map(({ revision }) => revision)).toEqual([7n, 8n, 9n]);
});

test('the limit on buffered events covers all rooms of a subscriber; the rest has to be read again', () => {
  const one = follower();
  const followings = ['a', 'b', 'c'].map((room) => new Following(one, room));
  const [first, second, third] = followings as [Following, Following, Following];
  first.hold(events(MAX_HELD / 2));
  second.hold(events(MAX_HELD / 2));
  third.hold(events(1));
  second.hold(events(1));
  expect(one.eventsHeld).toBe(MAX_HELD / 2);
  expect(third.goLive()).toBeNull();
  expect(second.goLive()).toBeNull();
  expect(first.goLive()).toHaveLength(MAX_HELD / 2);

  // Dropped events free space for others.
  third.hold(events(MAX_HELD));
  expect(one.eventsHeld).toBe(MAX_HELD);
  third.end();
  expect(one.eventsHeld).toBe(0);
});

test('a suspended following does not go live until the right to read has been decided again', () => {
  const following = new Following(follower(), 'a');
  following.judge('auditor', 3n);
  following.sent = 3n;
  expect(following.goLive()).toEqual([]);
  expect(following.suspend()).toBe(true);
  following.hold(events(6));
  expect(following.goLive()).toBeNull();
  following.judge('member', 5n);
  expect(following.goLive()?.map(({ revision }) => revision)).toEqual([4n, 5n]);
});
