import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcome } from '../../tests/harness/contract.testing.js';
import { register, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

let here: TestService;
let there: TestService;
let ada: TestPerson;
let bob: TestPerson;

beforeAll(async () => {
  here = await startTestService();
  there = await startTestService({ beside: here });
  [ada, bob] = [await register(here.url), (await register(here.url)).at(there.url)];
});
afterAll(async () => {
  await there.stop();
  await here.stop();
});

/** Two hundred animals and other things, none of which looks like another. */
const emojis = [...'🐀🐁🐂🐃🐄🐅🐆🐇🐈🐉🐊🐋🐌🐍🐎🐏🐐🐑🐒🐓🐔🐕🐖🐗🐘🐙🐚🐛🐜🐝🐞🐟🐠🐡🐢🐣🐤🐥🐦🐧🐨🐩🐪🐫'];
const rats = emojis.slice(0, 20);

const reactionsTo = async (room: string, { revision }: { revision: number }) =>
  (await ada.get(`/v1/rooms/${room}/messages?from=${revision}&limit=1`)).body.items[0].reactions as {
    emoji: string;
    count: number;
    mine: boolean;
  }[];
const path = (room: string, { id }: { id: string }, emoji: string) =>
  `/v1/rooms/${room}/messages/${id}/reactions/${encodeURIComponent(emoji)}`;

describe('different reactions to one message', () => {
  it('are limited to twenty, even when added through two replicas at once', async () => {
    const room = await ada.roomWith([bob]);
    const message = await ada.says(room, 'a zoo');
    const adding = emojis.map((emoji, i) => (i % 2 ? ada : bob).put(path(room, message, emoji)));
    const outcomes = (await Promise.all(adding)).map(outcome);
    expect(outcomes.filter((one) => one === 204)).toHaveLength(20);
    expect(outcomes.filter((one) => one === 'conflict')).toHaveLength(emojis.length - 20);

    const present = (await reactionsTo(room, message)).map(({ emoji }) => emoji);
    expect(new Set(present)).toEqual(new Set(emojis.filter((_, i) => outcomes[i] === 204)));
    const absent = emojis.filter((emoji) => !present.includes(emoji));
    for (const person of [ada, bob]) {
      const refused = await person.put(path(room, message, absent[0] ?? ''));
      expect([outcome(refused), refused.body.detail]).toEqual(['conflict', expect.stringContaining('20 different')]);
    }
    // The frame is decided in the same way, and those that are there can still be added.
    const socket = await ada.connect();
    expect(await socket.refused('react', { room, messageId: message.id, emoji: absent[0] })).toBe('conflict');
    for (const emoji of present) expect(outcome(await bob.put(path(room, message, emoji)))).toBe(204);
    socket.close();
  });

  it('are sorted by number of people, then by first use', async () => {
    const carol = await register(here.url);
    const room = await ada.roomWith([bob, carol]);
    const message = await ada.says(room, 'in order');
    const add = async (person: TestPerson, emoji: string) =>
      expect(outcome(await person.put(path(room, message, emoji)))).toBe(204);
    for (const emoji of ['🐀', '🐁', '🐂', '🐃']) await add(carol, emoji);
    for (const emoji of ['🐃', '🐂']) await add(ada, emoji);
    await add(bob, '🐃');
    expect(await reactionsTo(room, message)).toEqual([
      { emoji: '🐃', count: 3, mine: true },
      { emoji: '🐂', count: 2, mine: true },
      { emoji: '🐀', count: 1, mine: false },
      { emoji: '🐁', count: 1, mine: false },
    ]);
    expect(outcome(await carol.delete(path(room, message, '🐃')))).toBe(204);
    expect((await reactionsTo(room, message)).map(({ emoji }) => emoji)).toEqual(['🐂', '🐃', '🐀', '🐁']);
  });

  it('are counted even where the room has forgotten them', async () => {
    const room = await ada.roomWith([bob]);
    const [old, other] = [await ada.says(room, 'long ago'), await ada.says(room, 'busy')];
    const socket = await ada.connect();
    const react = (messageId: string, emoji: string, remove = false) =>
      socket.ask('react', { room, messageId, emoji, remove });
    for (const emoji of rats) await react(old.id, emoji);
    // More than a room remembers.
    for (let i = 0; i < 30; i++) {
      for (const remove of [false, true]) await Promise.all(rats.map((emoji) => react(other.id, emoji, remove)));
    }
    for (const person of [ada, bob]) expect(outcome(await person.put(path(room, old, '👍')))).toBe('conflict');
    expect(outcome(await bob.put(path(room, old, '🐀')))).toBe(204);
    // The one of bob leaves another of ada's, the one of ada leaves none, and at once there is room.
    await react(old.id, '🐀', true);
    expect(await socket.refused('react', { room, messageId: old.id, emoji: '👍' })).toBe('conflict');
    await react(old.id, '🐁', true);
    expect((await react(old.id, '👍')).event).toBe('ack');
    socket.close();
    expect(await reactionsTo(room, old)).toHaveLength(20);
  });
});
