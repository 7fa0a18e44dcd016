import { randomBytes } from 'node:crypto';
import { isRejection, type Recorded, type Rejection, type RoomCommand, type UserCommand } from '@verbatim/domain';
import { MemoryEventStore, PostgresKeyRing, Sealer, Snapshots, type StoredEvent } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../database/database.js';
import { createDatabase, dropDatabase } from '../testing/database.testing.js';
import { Rooms, Users } from './entities.js';
import type { Decided } from './mailbox.js';

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
const post = (actor: typeof ada | typeof bob, n: number): RoomCommand => ({
  type: 'PostMessage',
  actor,
  messageId: `0198a000-0000-7000-9000-${n.toString(16).padStart(12, '0')}`,
  text: `Message ${n}`,
  replyTo: null,
  kind: 'text',
});

/** A log whose readers can be made to wait for what they have read. */
class UnhurriedStore extends MemoryEventStore {
  delivered: Promise<void> = Promise.resolve();

  override async readLast(stream: string): Promise<StoredEvent | null> {
    const event = await super.readLast(stream);
    await this.delivered;
    return event;
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

  it('decide anew when the feed brings what a refusal did not know of, while the store is asked for it', async () => {
    const [here, there] = [process(), process()];
    accepted(await there.send(roomId, create, context));
    await here.current(roomId);
    accepted(await there.send(roomId, join, context));

    let deliver = () => {};
    store.delivered = new Promise((resolve) => {
      deliver = resolve;
    });
    const posting = here.send(roomId, post(bob, 1), context);
    await new Promise((resolve) => setImmediate(resolve));
    here.take(roomId, await opened(2n));
    deliver();
    expect(accepted(await posting).revision).toBe(3n);
  });

  it('take any number of changes of one account that come at once', async () => {
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

  const opened = async (from: bigint): Promise<Recorded[]> =>
    new Sealer(keys).open(await MemoryEventStore.prototype.read.call(store, `room-${roomId}`, from, 100));
});

function accepted<S>(outcome: Decided<S> | Rejection): Decided<S> {
  if (isRejection(outcome)) throw new Error(`refused: ${outcome.detail}`);
  return outcome;
}

function never(what: string): never {
  throw new Error(what);
}
