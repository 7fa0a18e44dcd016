import { type Actor, type Recorded, type RoomEvent, type RoomState, room, roomStream } from '@verbatim/domain';
import fc from 'fast-check';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { Time } from '../clock.js';
import { Feed } from '../feed/feed.js';
import { noLimits } from '../limits/limit-settings.js';
import { Limits } from '../limits/limits.js';
import { Reads } from '../limits/reads.js';
import { newId } from '../new-id.js';
import { Directory } from '../storage/directory.js';
import type { OpenLog } from '../storage/open-log.js';
import type { Names } from '../storage/vault/names.js';
import type { Rooms } from '../write-side/entities.js';
import type { Inspections } from '../write-side/inspections.js';
import type { Following } from './following.js';
import { LiveRooms, liveLimits } from './live-rooms.js';
import type { Presence } from './presence/presence.js';
import { LineEncoder, TestSubscriber } from './subscriber.testing.js';

const purpose = { context: { correlation: newId() } };
const someone = (name: string, role: Actor['role'] = 'user'): Actor => ({ id: name, role });
const ada = someone('ada');
const bob = someone('bob');
const eve = someone('eve');

/** An in-memory log of rooms with its feed, and a vault whose name look-ups can be made slow or fail. */
class Town {
  readonly log: Recorded[] = [];
  private readonly states = new Map<string, { state: RoomState; revision: bigint; position: bigint }>();
  /** What name look-ups wait for; rejecting it makes them fail. */
  names: () => Promise<void> = () => Promise.resolve();
  lookUps = 0;
  readonly feed = new Feed(
    { subscribe: () => Promise.reject(new Error('not used')) },
    { open: async (events) => events as never },
    pino({ level: 'silent' }),
  );
  readonly directory: Directory;
  readonly live: LiveRooms;

  constructor() {
    const names = {
      usernames: async (ids: readonly string[]) => {
        this.lookUps += 1;
        await this.names();
        return new Map(ids.map((id) => [id, `@${id}`]));
      },
    };
    this.directory = new Directory(names as unknown as Names);
    const openLog = {
      read: async (stream: string, from: bigint, limit: number) =>
        this.log.filter((event) => event.stream === stream && event.revision >= from).slice(0, limit),
    };
    const rooms = { current: async (id: string) => this.state(id), newest: async (id: string) => this.state(id) };
    const facts = {
      messageFacts: async () => ({ messages: new Map(), through: 1_000_000n }),
      reached: async () => true,
    };
    const presence = { entered: () => undefined, left: () => undefined, typing: () => undefined };
    this.live = new LiveRooms(
      openLog as unknown as OpenLog,
      rooms as unknown as Rooms,
      this.directory,
      facts as never,
      presence as unknown as Presence,
      {} as Inspections,
      new Time(() => new Date()),
      new Reads(new Limits(noLimits, { note: () => undefined })),
      this.feed,
    );
  }

  knows(...people: readonly Actor[]): void {
    for (const { id } of people)
      this.directory.handle([
        { type: 'UserRegistered', stream: `user-${id}`, data: { username: `@${id}` } } as unknown as Recorded,
      ]);
  }

  state(roomId: string) {
    return this.states.get(roomId) ?? { state: room.initialState, revision: -1n, position: -1n };
  }

  /** Appends events to a room's stream, without the feed. */
  append(roomId: string, ...events: readonly Pick<RoomEvent, 'type' | 'data' | 'actor'>[]): Recorded[] {
    return events.map((event) => {
      const { state, revision } = this.state(roomId);
      const recorded = {
        ...event,
        id: newId(),
        stream: roomStream(roomId),
        revision: revision + 1n,
        position: BigInt(this.log.length),
        at: new Date(this.log.length).toISOString(),
        occurredAt: null,
      } as unknown as Recorded<RoomEvent>;
      this.log.push(recorded);
      this.states.set(roomId, {
        state: room.evolve(state, recorded),
        revision: recorded.revision,
        position: recorded.position,
      });
      return recorded;
    });
  }

  /** Appends events and passes them on like the feed. */
  happens(roomId: string, ...events: readonly Pick<RoomEvent, 'type' | 'data' | 'actor'>[]): void {
    this.live.handle(this.append(roomId, ...events));
  }

  roomWith(...people: readonly Actor[]): string {
    const roomId = newId();
    const settings = { name: 'Lounge', topic: '', visibility: 'public', history: 'full', passwordId: null } as const;
    this.append(roomId, { type: 'RoomCreated', data: settings, actor: people[0]?.id ?? null } as never);
    for (const [i, { id }] of people.entries())
      this.append(roomId, {
        type: 'MemberJoined',
        data: { userId: id, role: i === 0 ? 'owner' : 'member' },
        actor: id,
      } as never);
    return roomId;
  }

  async follows(subscriber: TestSubscriber, roomId: string, after?: bigint): Promise<Following> {
    const following = await this.live.follow(subscriber, roomId, after, purpose, () => undefined);
    if (!following || !('sent' in following)) throw new Error(JSON.stringify(following));
    expect(await this.live.catchUp(following)).toBeNull();
    return following;
  }
}

const says = (by: Actor): Pick<RoomEvent, 'type' | 'data' | 'actor'> => ({
  type: 'MessagePosted',
  data: { messageId: newId(), text: 'Hello', replyTo: null, kind: 'text' },
  actor: by.id,
});
const removes = (who: Actor): Pick<RoomEvent, 'type' | 'data' | 'actor'> =>
  ({ type: 'MemberRemoved', data: { userId: who.id, reason: null }, actor: ada.id }) as never;

/** Resolves when everything that needs no timer is done. */
const settled = async () => {
  for (let i = 0; i < 20; i++) await new Promise(setImmediate);
};
const stalled = () => {
  let go = () => {};
  const until = new Promise<void>((resolve) => {
    go = resolve;
  });
  return { until: () => until, go };
};
const range = (from: bigint, to: bigint) => Array.from({ length: Number(to - from) + 1 }, (_, i) => from + BigInt(i));

let town: Town;
beforeEach(() => {
  town = new Town();
  town.knows(ada, bob);
});

describe('a subscriber without a socket', () => {
  it('gets the history and then live events, without gaps or duplicates', async () => {
    const roomId = town.roomWith(ada, bob);
    town.append(roomId, says(ada), says(bob));
    const subscriber = new TestSubscriber(bob);
    const following = await town.live.follow(subscriber, roomId, -1n, purpose, () => undefined);
    const caughtUp = town.live.catchUp(following as Following);
    town.happens(roomId, says(ada));
    await caughtUp;
    town.happens(roomId, says(bob), says(ada));
    expect(subscriber.revisions).toEqual(range(0n, 7n));
  });

  it('gets the same bytes as all others with its encoder and face', async () => {
    const roomId = town.roomWith(ada, bob);
    const [lines, other] = [new LineEncoder(), new LineEncoder()];
    const subscribers = [ada, bob, ada, bob].map((who, i) => new TestSubscriber(who, i < 3 ? lines : other));
    for (const subscriber of subscribers) await town.follows(subscriber, roomId);
    town.happens(roomId, says(ada));
    const [first, second, third, fourth] = subscribers.map(({ bytes }) => bytes[0]);
    expect([second, third].every((bytes) => bytes === first)).toBe(true);
    expect(fourth).not.toBe(first);
    expect([lines.encoded, other.encoded]).toEqual([1, 1]);
  });

  it('gets no more history while it is congested, and the rest once it has drained', async () => {
    const roomId = town.roomWith(ada, bob);
    town.append(roomId, ...Array.from({ length: 500 }, () => says(ada)));
    const subscriber = new TestSubscriber(bob);
    subscriber.congested = true;
    const following = (await town.live.follow(subscriber, roomId, -1n, purpose, () => undefined)) as Following;
    const caughtUp = town.live.catchUp(following);
    await settled();
    town.happens(roomId, says(bob));
    expect(subscriber.revisions).toEqual([]);
    subscriber.drain();
    await caughtUp;
    expect(subscriber.revisions).toEqual(range(0n, 503n));
  });

  it('gets its removal and nothing after it, and resumes when it is back', async () => {
    const roomId = town.roomWith(ada, bob);
    const subscriber = new TestSubscriber(bob);
    const following = await town.follows(subscriber, roomId);
    town.happens(roomId, says(ada), removes(bob), says(ada));
    expect(subscriber.revisions).toEqual([3n, 4n]);
    expect(subscriber.lines.at(-1)).toBe('removed: removed');
    expect(following.ended).toBe(true);
    expect(await town.live.follow(subscriber, roomId, 4n, purpose, () => undefined)).toMatchObject({
      rejected: 'NotAMember',
    });
    town.happens(roomId, { type: 'MemberJoined', data: { userId: 'bob', role: 'member' }, actor: 'bob' } as never);
    await town.follows(subscriber, roomId, 4n);
    town.happens(roomId, says(ada));
    expect(subscriber.revisions).toEqual(range(3n, 7n));
  });

  it('whose server role was lowered gets nothing live until the right to read is decided again', async () => {
    const roomId = town.roomWith(ada);
    const subscriber = new TestSubscriber(someone('ada', 'admin'));
    const following = await town.follows(subscriber, roomId);
    expect(following.face).toBe('auditor');
    subscriber.actor = ada;
    town.live.reconsider(subscriber);
    town.happens(roomId, says(ada));
    expect(subscriber.lines).toEqual([]);
    await settled();
    expect(subscriber.lines).toEqual(['owner 2 @ada']);
  });

  it('gets a removal when a role change costs it the right to read a room', async () => {
    const roomId = town.roomWith(ada);
    const subscriber = new TestSubscriber(someone('bob', 'admin'));
    town.live.leave(subscriber);
    town.append(roomId, { type: 'MemberJoined', data: { userId: 'bob', role: 'member' }, actor: 'bob' } as never);
    await town.follows(subscriber, roomId);
    town.append(roomId, removes(bob));
    subscriber.actor = bob;
    town.live.reconsider(subscriber);
    await settled();
    expect(subscriber.lines).toEqual(['removed: revoked']);
  });
});

describe('an event by an author whose name is not in memory', () => {
  it('waits, with all later events of its room, and delays no other room', async () => {
    const [slow, quick] = [town.roomWith(ada, bob, eve), town.roomWith(ada, bob)];
    const [inSlow, inQuick] = [new TestSubscriber(bob), new TestSubscriber(bob)];
    await town.follows(inSlow, slow);
    await town.follows(inQuick, quick);
    const vault = stalled();
    town.names = vault.until;
    town.happens(slow, says(eve));
    town.happens(slow, says(ada));
    town.happens(quick, says(ada));
    expect(inQuick.revisions).toEqual([3n]);
    await settled();
    expect(inSlow.revisions).toEqual([]);
    expect(town.feed.queues.find(({ name }) => name === 'names of authors')).toMatchObject({ waiting: 2 });

    vault.go();
    await settled();
    town.happens(slow, says(bob));
    expect(inSlow.revisions).toEqual([4n, 5n, 6n]);
    expect(inSlow.lines.join()).toContain('4 @eve');
    expect(town.feed.queues.every(({ waiting }) => waiting === 0)).toBe(true);
  });

  it('is not lost when the look-up fails once', async () => {
    const roomId = town.roomWith(ada, bob, eve);
    const subscriber = new TestSubscriber(bob);
    await town.follows(subscriber, roomId);
    town.names = async () => {
      if (town.lookUps === 1) throw new Error('The vault is away.');
    };
    town.happens(roomId, says(eve));
    while (subscriber.revisions.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(subscriber.revisions).toEqual([4n]);
  });

  it('ends the followers of the room when too many events wait, and no others', async () => {
    const [slow, quick] = [town.roomWith(ada, bob, eve), town.roomWith(ada, bob)];
    const [inSlow, inQuick] = [new TestSubscriber(bob), new TestSubscriber(bob)];
    await town.follows(inSlow, slow);
    await town.follows(inQuick, quick);
    const vault = stalled();
    town.names = vault.until;
    for (let i = 0; i <= liveLimits.waitingRuns && inSlow.open; i++) town.happens(slow, says(eve));
    expect(inSlow.ended).toBe('drain');
    expect(inQuick.open).toBe(true);
    vault.go();
    await settled();

    // When it reconnects, it resumes where it stopped.
    town.live.leave(inSlow);
    const again = new TestSubscriber(bob);
    await town.follows(again, slow, 3n);
    expect(again.revisions).toEqual(range(4n, town.state(slow).revision));
  }, 60_000);
});

it('whatever the vault does, each room is delivered in order, completely, and not past a removal', async () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('say' as const), room: fc.nat(2), by: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), room: fc.nat(2) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('stall' as const, 'answer' as const, 'turn' as const) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const place = new Town();
      place.knows(ada, bob);
      const strangers = Array.from({ length: 4 }, (_, i) => someone(`stranger ${i}`));
      const rooms = Array.from({ length: 3 }, () => place.roomWith(ada, bob, ...strangers));
      const followers = rooms.map(() => new TestSubscriber(bob));
      const witnesses = rooms.map(() => new TestSubscriber(ada));
      for (const [i, roomId] of rooms.entries()) {
        await place.follows(followers[i] as TestSubscriber, roomId);
        await place.follows(witnesses[i] as TestSubscriber, roomId);
      }
      const removedAt = new Map<number, bigint>();
      const first = rooms.map((roomId) => place.state(roomId).revision + 1n);
      const stalls: ReturnType<typeof stalled>[] = [];
      for (const one of steps) {
        if (one.do === 'say') place.happens(rooms[one.room] as string, says(strangers[one.by] as Actor));
        else if (one.do === 'stall') {
          const vault = stalled();
          stalls.push(vault);
          place.names = vault.until;
        } else if (one.do === 'answer') stalls.at(-1)?.go();
        else if (one.do === 'turn') await new Promise(setImmediate);
        else if (one.do === 'remove' && !removedAt.has(one.room)) {
          place.happens(rooms[one.room] as string, removes(bob));
          removedAt.set(one.room, place.state(rooms[one.room] as string).revision);
        }
      }
      for (const vault of stalls) vault.go();
      await settled();
      for (const [i, roomId] of rooms.entries()) {
        const { revision } = place.state(roomId);
        expect(witnesses[i]?.revisions).toEqual(range(first[i] as bigint, revision));
        expect(followers[i]?.revisions).toEqual(range(first[i] as bigint, removedAt.get(i) ?? revision));
      }
    }),
    { numRuns: 40 },
  );
});
