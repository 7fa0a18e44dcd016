import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sealText } from './envelope.js';
import { PostgresKeyRing } from './key-ring.js';
import { LocalMasterKey, type MasterKey, MasterKeyUnavailable } from './master-key.js';
import { createTestDatabase, type TestDatabase } from './postgres/test-database.testing.js';
import { RootKeys, type RootKeysOptions } from './root-keys.js';

let database: TestDatabase;
let connections: postgres.Sql[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  await connect()`drop schema if exists vault cascade`;
});
afterEach(async () => {
  await Promise.all(connections.map((sql) => sql.end()));
  connections = [];
});
afterAll(() => database.drop());

function connect(): postgres.Sql {
  const sql = postgres(database.url, { max: 4, onnotice: () => {} });
  connections.push(sql);
  return sql;
}

/** The key ring of a process, with the tables of the vault that root keys wrap. */
async function openRing(options: RootKeysOptions): Promise<PostgresKeyRing> {
  const sql = connect();
  const roots = await RootKeys.open(sql, options);
  await sql`create table if not exists vault.signing_keys (
    id text primary key, wrapped text not null, root integer not null default 0 references vault.root_keys)`;
  return PostgresKeyRing.open(sql, roots);
}
const local = () => new LocalMasterKey(randomBytes(32));
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `room-r1|day ${i}`);
const rootsOf = async (): Promise<number[]> =>
  (await connect()<{ number: number }[]>`select number from vault.root_keys order by 1`).map(({ number }) => number);

/** A key server that can be away. */
class Server implements MasterKey {
  readonly name = 'server';
  readonly description = 'the key of the server';
  away = false;
  private readonly key = local();
  async wrap(key: Buffer, label: string): Promise<string> {
    this.answer();
    return this.key.wrap(key, label);
  }
  async unwrap(wrapped: string, label: string): Promise<Buffer | null> {
    this.answer();
    return this.key.unwrap(wrapped, label);
  }
  versionOf = () => '1';
  private answer(): void {
    if (this.away) throw new MasterKeyUnavailable('The server', 'it is away', 'start it');
  }
}

describe('root keys', () => {
  it('take over a vault of an earlier release, and do not open with another master key', async () => {
    const sql = connect();
    const master = local();
    await sql.unsafe(`
      create schema vault;
      create table vault.migrations (component text, step int, done_at timestamptz default now(), primary key (component, step));
      insert into vault.migrations (component, step) values ('keys', 0), ('keys', 1);
      create table vault.keys (name text primary key, wrapped text not null, created_at timestamptz not null default now());
      create table vault.event_keys (event_id text primary key, name text not null, wrapped text not null)`);
    const key = randomBytes(32);
    for (const [name, text] of [
      ['master-key-check', randomBytes(32)],
      ['a', key],
    ] as const)
      await sql`insert into vault.keys (name, wrapped) values (${name}, ${sealText(text.toString('base64'), master.bytes, name)})`;
    await expect(openRing({ master: local() })).rejects.toThrow('The master key is not the one');
    expect((await (await openRing({ master })).find(['a'])).get('a')).toEqual(key);
    await expect(openRing({ master: local() })).rejects.toThrow('The master key is not the one');
  });

  it('move from one master key to another and back, while other processes go on', async () => {
    const [old, fresh] = [local(), new Server()];
    await openRing({ master: old });
    const running = await openRing({ master: fresh, before: old });
    const made = await running.obtain(names(2_500));
    await running.retire('room-r1|day 0');

    const moving = await openRing({ master: fresh, before: old });
    expect(await moving.roots.begin()).toBe(1);
    const during = await running.obtain(['during']);
    expect(await moving.roots.finish()).toBeGreaterThan(2_500);
    expect(await rootsOf()).toEqual([1]);

    // The one that was running reads and makes keys, and so does one that knows only the new master key.
    running.forget();
    expect((await running.find(['room-r1|day 7'])).get('room-r1|day 7')).toEqual(made.get('room-r1|day 7'));
    const after = await running.obtain(['after']);
    const alone = await openRing({ master: fresh });
    expect(await alone.find([...names(2_500).slice(1), 'during', 'after'])).toEqual(
      new Map([...[...made].slice(1), ...during, ...after]),
    );
    expect((await alone.spare(['room-r1|day 0'], [])).retired.get('room-r1|day 0')).toEqual(made.get('room-r1|day 0'));
    await expect(openRing({ master: old })).rejects.toThrow('The master key is not the one');

    const back = await openRing({ master: old, before: fresh });
    await back.roots.begin();
    await back.roots.finish();
    fresh.away = true;
    expect((await (await openRing({ master: old })).find(['after'])).get('after')).toEqual(after.get('after'));
  });

  it('go on with a rotation that was interrupted', async () => {
    const [old, fresh] = [local(), local()];
    const ring = await openRing({ master: old });
    const made = await ring.obtain(names(3_000));
    const first = await openRing({ master: fresh, before: old });
    await first.roots.begin();
    const stop = new Error('killed');
    await expect(
      first.roots.finish(() => {
        throw stop;
      }),
    ).rejects.toBe(stop);
    expect(await rootsOf()).toEqual([0, 1]);
    const second = await openRing({ master: fresh, before: old });
    expect(await second.roots.begin()).toBe(1);
    expect(await second.roots.finish()).toBeLessThan(3_000);
    expect(await rootsOf()).toEqual([1]);
    expect(await (await openRing({ master: fresh })).find(names(3_000))).toEqual(made);
  });

  it('are never forgotten while a row is wrapped by them, however many processes make keys meanwhile', async () => {
    const [old, fresh] = [local(), local()];
    await openRing({ master: old });
    const writers = await Promise.all([1, 2].map(() => openRing({ master: fresh, before: old })));
    const rotating = await openRing({ master: fresh, before: old });
    const made = new Map<string, Buffer>();
    let over = false;
    const writing = writers.map(async (ring, writer) => {
      for (let n = 0; !over; n++) for (const [name, key] of await ring.obtain([`w${writer} ${n}`])) made.set(name, key);
    });
    for (let round = 0; round < 3; round++) {
      await rotating.roots.begin();
      await rotating.roots.finish();
    }
    over = true;
    await Promise.all(writing);
    expect(made.size).toBeGreaterThan(10);
    expect(await (await openRing({ master: fresh })).find([...made.keys()])).toEqual(made);
  });
});

describe('while the master key is out of reach', () => {
  it('keys go on being used for a while, then nothing opens until it is back', async () => {
    const master = new Server();
    let now = 0;
    const ring = await openRing({ master, holdMs: 60_000, now: () => now });
    const made = await ring.obtain(['a']);
    master.away = true;
    now += 50_000;
    await ring.roots.confirm();
    expect(ring.roots.state).toMatchObject({ locked: false, unconfirmedSeconds: 50, failures: 1 });
    ring.forget();
    expect(await ring.find(['a'])).toEqual(made);
    expect((await ring.obtain(['b'])).size).toBe(1);

    now += 11_000;
    expect(ring.roots.state).toMatchObject({ locked: true, trouble: 'The server cannot be used: it is away.' });
    await expect(ring.find(['a'])).rejects.toThrow(MasterKeyUnavailable);
    await expect(ring.obtain(['c'])).rejects.toThrow(MasterKeyUnavailable);

    master.away = false;
    await ring.roots.confirm();
    expect(ring.roots.state).toMatchObject({ locked: false, trouble: null });
    expect(await ring.find(['a'])).toEqual(made);
  });

  it('no process starts, and the error says why', async () => {
    const master = new Server();
    await openRing({ master });
    master.away = true;
    await expect(openRing({ master })).rejects.toThrow('The server cannot be used: it is away.');
  });
});
