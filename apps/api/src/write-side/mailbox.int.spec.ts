import { randomBytes } from 'node:crypto';
import { type Actor, isRejection, type Rejection, type RoomCommand, type UserCommand } from '@verbatim/domain';
import {
  type Appended,
  MemoryEventStore,
  type NewEvent,
  PostgresKeyRing,
  Sealer,
  Snapshots,
  type StoredEvent,
} from '@verbatim/event-store';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { connect } from '../storage/database/pool.js';
import { createDatabase, dropDatabase } from '../tests/harness/database.testing.js';
import { Rooms, Users } from './entities.js';
import { type Decided, mailboxLimits } from './mailbox.js';

const ada = { id: '0198a000-0000-7000-8000-0000000000aa', role: 'user' } as const;
const bob = { id: '0198a000-0000-7000-8000-0000000000bb', role: 'user' } as const;
const admin = { id: '0198a000-0000-7000-8000-0000000000ad', role: 'admin' } as const;
const roomId = '0198a000-0000-7000-8000-000000000001';
const context = { correlation: '0198a000-0000-7000-8000-000000000002' };

const create: RoomCommand = {
  type: 'CreateRoom',
  actor: ada,
  name: 'Room',
  topic: '',
  visibility: 'public',
  history: 'full',
  passwordId: null,
};
const join: RoomCommand = { type: 'JoinRoom', actor: bob };
const post = (actor: Actor, n: number): RoomCommand => ({
  type: 'PostMessage',
  actor,
  messageId: `0198a000-0000-7000-9000-${n.toString(16).padStart(12, '0')}`,
  text: `Message ${n}`,
  replyTo: null,
  kind: 'text',
});

/** A slow log, whose answers can be delayed. */
class UnhurriedStore extends MemoryEventStore {
  taken: Promise<void> = Promise.resolve();
  delivered: Promise<void> = Promise.resolve();

  override async read(stream: string, from: bigint, limit: number): Promise<StoredEvent[]> {
    const events = await super.read(stream, from, limit);
    await this.delivered;
    await pause(1);
    return events;
  }

  override async readLast(stream: string): Promise<StoredEvent | null> {
    const event = await super.readLast(stream);
    await this.delivered;
    await pause(1);
    return event;
  }

  override async append(stream: string, expectedRevision: bigint, events: readonly NewEvent[]): Promise<Appended> {
    await this.taken;
    const appended = await super.append(stream, expectedRevision, events);
    await pause(2);
    return appended;
  }
}

describe('the mailboxes of two processes', () => {
  let databaseUrl: string;
  let sql: Sql;
  let snapshots: Snapshots;
  let keys: PostgresKeyRing;
  let store: UnhurriedStore;

  beforeAll(async () => {
    databaseUrl = await createDatabase();
    sql = connect(databaseUrl);
    keys = await PostgresKeyRing.open(sql, randomBytes(32));
    snapshots = await Snapshots.open(sql, keys);
  });
  beforeEach(async () => {
    store = new UnhurriedStore();
    await sql`delete from cache.snapshots`;
  });
  afterAll(async () => {
    await sql.end();
    await dropDatabase(databaseUrl);
  });

  const parts = () => ({ store, sealer: new Sealer(keys), snapshots, clock: () => new Date() });
  const process = () => new Rooms(parts(), async (lookups) => lookups.map(() => never('no look-up is needed')));

  /** Mailboxes here that know the room, but not what another process did there since. */
  const unaware = async (...commands: RoomCommand[]): Promise<Rooms> => {
    const [here, there] = [process(), process()];
    accepted(await there.send(roomId, create, context));
    await here.current(roomId);
    for (const command of commands) accepted(await there.send(roomId, command, context));
    return here;
  };

  /** Lets the feed deliver the event of this revision while a read is in progress. */
  const meanwhile = async <T>(rooms: Rooms, revision: bigint, ask: () => Promise<T>): Promise<T> => {
    const [event] = await new Sealer(keys).open(await store.read(`room-${roomId}`, revision, 1));
    let deliver = () => {};
    store.delivered = new Promise((resolve) => {
      deliver = resolve;
    });
    const answer = ask();
    await pause(5);
    rooms.handle(roomId, [event!]);
    deliver();
    return answer;
  };

  it('decide again when the feed delivers an event that a refusal missed, while the store is being read', async () => {
    const here = await unaware(join);
    const posted = await meanwhile(here, 2n, () => here.send(roomId, post(bob, 1), context));
    expect(accepted(posted).revision).toBe(3n);
  });

  it('know the newest state even if the feed delivers part of it while the store is read', async () => {
    const here = await unaware(join, post(bob, 1), post(bob, 2));
    expect((await meanwhile(here, 2n, () => here.newest(roomId))).revision).toBe(4n);
  });

  it('know everything that a person did, whichever process the person uses next', async () => {
    const processes = [process(), process(), process()];
    const fed = processes.map(async (rooms, i) => {
      const sealer = new Sealer(keys);
      await store.subscribe('end', async (stored) => {
        await pause(i * 3);
        rooms.handle(roomId, await sealer.open(stored));
      });
    });
    await Promise.all(fed);
    accepted(await processes[0]!.send(roomId, create, context));

    const walk = async (walker: number) => {
      const actor: Actor = { id: `0198a000-0000-7000-8000-00000000${1_000 + walker}`, role: 'user' };
      const leave: RoomCommand = { type: 'RemoveMember', actor, userId: actor.id, reason: null };
      for (let turn = 0, member = false; turn < 24; turn++) {
        const rooms = processes[(walker + turn * 7) % 3]!;
        const wish = [{ ...join, actor }, post(actor, walker * 100 + turn), leave, null][(walker * 5 + turn * 3) % 4];
        if (wish) {
          const outcome = await rooms.send(roomId, wish, context);
          const expected: string = member || wish.type === 'JoinRoom' ? 'accepted' : 'NotAMember';
          expect(isRejection(outcome) ? outcome.rejected : 'accepted').toBe(expected);
          member = expected === 'accepted' && wish !== leave;
        }
        expect((await rooms.newest(roomId)).state.members.has(actor.id)).toBe(member);
        await pause((walker + turn) % 5);
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, walker) => walk(walker)));
    const heads = await Promise.all(processes.map((rooms) => rooms.newest(roomId)));
    const members = heads.map(({ state }) => [...state.members.entries()].sort());
    for (const some of members) expect(some).toEqual(members[0]);
  });

  it('keep as many rooms warm as their weight allows, and reload those that were dropped', async () => {
    const limits = { mailboxes: 1_000, bytes: 1_500_000 };
    const lookUp = async () => never('no look-up is needed');
    const rooms = new Rooms(parts(), lookUp, limits);
    const ids = Array.from({ length: 30 }, (_, n) => `0198a000-0000-7000-8000-0000000010${10 + n}`);
    for (const id of ids) {
      accepted(await rooms.send(id, create, context));
      const posts = Array.from({ length: 200 }, (_, n) => rooms.send(id, post(ada, n), context));
      await Promise.all(posts);
    }
    const reader = new Rooms(parts(), lookUp, limits);
    for (const id of ids) {
      expect((await reader.current(id)).state.messages.size).toBe(200);
      // The one just folded is in use, and dropped only when another is loaded.
      expect(reader.warm.bytes).toBeLessThan(limits.bytes + 200_000);
    }
    expect(reader.warm.mailboxes).toBeGreaterThan(5);
    expect(reader.warm.mailboxes).toBeLessThan(15);
    expect((await reader.current(ids[0] as string)).revision).toBe(201n);
  });

  it('refuse commands beyond the queue limit at once', async () => {
    const rooms = process();
    accepted(await rooms.send(roomId, create, context));
    const sent = Array.from({ length: mailboxLimits.waiting + 50 }, (_, n) =>
      rooms.send(roomId, post(ada, n), context),
    );
    const outcomes = await Promise.all(sent);
    expect(outcomes.map(isRejection)).toEqual(outcomes.map((_, n) => n >= mailboxLimits.waiting));
    expect(outcomes.at(-1)).toMatchObject({ rejected: 'Unavailable' });
  });

  it('hold no command in memory whose outcome was already reported as unknown', async () => {
    const rooms = process();
    accepted(await rooms.send(roomId, create, context));
    store.taken = new Promise(() => undefined);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      for (let wave = 0; wave < 3; wave++) {
        // Almost as many as may wait, so those of the previous wave must be gone.
        const sent = Array.from({ length: 900 }, (_, n) => rooms.send(roomId, post(ada, wave * 900 + n), context));
        await vi.advanceTimersByTimeAsync(mailboxLimits.deadline + 1);
        const details = new Set((await Promise.all(sent)).map((outcome) => isRejection(outcome) && outcome.detail));
        expect([...details]).toEqual([expect.stringContaining('not known yet')]);
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it('accept any number of concurrent changes of one account', async () => {
    const users = new Users(parts());
    const userId = bob.id;
    const registered: UserCommand = {
      type: 'RegisterUser',
      actor: null,
      username: 'bob',
      displayName: 'Bob',
      email: null,
      role: 'user',
      origin: 'registration',
    };
    await users.send(userId, registered, context);
    const changes = Array.from({ length: 600 }, (_, i): UserCommand => {
      const even = i % 2 === 0;
      return {
        type: 'ChangeUser',
        actor: admin,
        userId,
        displayName: `Bob ${i}`,
        role: even ? 'admin' : 'user',
        suspended: even,
      };
    });
    const outcomes = await Promise.all(changes.map((change) => users.send(userId, change, context)));
    expect(outcomes.filter(isRejection)).toEqual([]);
    expect(await store.readLast(`user-${userId}`)).toMatchObject({ revision: 1_800n });
  });
});

/** Milliseconds; these tests are about what happens meanwhile. */
const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

function accepted<S>(outcome: Decided<S> | Rejection): Decided<S> {
  if (isRejection(outcome)) throw new Error(`refused: ${outcome.detail}`);
  return outcome;
}

function never(what: string): never {
  throw new Error(what);
}
