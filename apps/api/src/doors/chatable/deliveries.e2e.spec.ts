import { QueryBus } from '@nestjs/cqrs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FeedSink } from '../../composition/contributions.js';
import { Feed } from '../../feed/feed.js';
import { door } from '../../host/part.js';
import { LiveRooms } from '../../live/live-rooms.js';
import { TestSubscriber } from '../../live/subscriber.testing.js';
import { register, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { doors } from '../doors.js';
import { Deliveries } from './deliveries.js';
import { PacketEncoder } from './packets.js';

/** Conversations that a subscriber follows at a time. */
const FOLLOWED = 2;

let service: TestService;
let deliveries: Deliveries;

const probe = door({
  name: 'probe',
  open(application) {
    const [live, queries, feed] = [application.get(LiveRooms), application.get(QueryBus), application.get(Feed)];
    deliveries = new Deliveries(live, queries, feed, FOLLOWED);
    return { sinks: [new FeedSink('probe', 'others', (events) => deliveries.handle(events))] };
  },
});

beforeAll(async () => {
  service = await startTestService({ doors: [...doors, probe] });
});
afterAll(() => service?.stop());

it('a person with more conversations than are followed gets each message once and in order', async () => {
  const ada = await register(service.url);
  const others: [TestPerson, room: string][] = [];
  for (let i = 0; i < FOLLOWED * 2; i++) {
    const person = await register(service.url);
    others.push([person, (await person.put(`/v1/direct/${ada.username}`)).body.id]);
  }
  const subscriber = new TestSubscriber({ id: ada.id, role: 'user' }, new PacketEncoder(ada.id, ada.username));
  deliveries.add(subscriber);
  const rounds = 6;
  const postInOrder = async ([person, room]: [TestPerson, string]) => {
    for (let i = 0; i < rounds; i++) await person.says(room, `${i} of ${person.username}`);
  };
  await Promise.all(others.map(postInOrder));
  await ada.says(others[0]?.[1] ?? '', 'my own');
  const got = () => subscriber.bytes.filter(({ length }) => length > 0).map((bytes) => JSON.parse(`${bytes}`).message);
  await expect.poll(() => got().length, { timeout: 10_000 }).toBe(rounds * others.length);
  for (const [{ username }] of others) {
    const theirs = got().filter((text) => text.endsWith(` of ${username}`));
    expect(theirs).toEqual(Array.from({ length: rounds }, (_, i) => `${i} of ${username}`));
  }
  expect(subscriber.ended).toBeNull();
});

it('who has left a conversation and is written to again gets that message', async () => {
  const [ada, bob] = [await register(service.url), await register(service.url)];
  const room = (await bob.put(`/v1/direct/${ada.username}`)).body.id;
  const subscriber = new TestSubscriber({ id: ada.id, role: 'user' }, new PacketEncoder(ada.id, ada.username));
  deliveries.add(subscriber);
  const got = () => subscriber.bytes.filter(({ length }) => length > 0).map((bytes) => JSON.parse(`${bytes}`).message);
  await bob.says(room, 'before');
  await expect.poll(got, { timeout: 10_000 }).toEqual(['before']);
  expect((await ada.delete(`/v1/rooms/${room}/members/${ada.id}`)).status).toBe(204);
  await bob.says(room, 'after');
  await bob.says(room, 'and again');
  await expect.poll(got, { timeout: 10_000 }).toEqual(['before', 'after', 'and again']);
});
