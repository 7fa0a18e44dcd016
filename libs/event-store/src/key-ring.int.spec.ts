import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { PostgresKeyRing } from './key-ring.js';
import { createTestDatabase, type TestDatabase } from './postgres/test-database.testing.js';

const master = randomBytes(32);
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

/** A key ring with connections of its own, as another process would have. */
function openRing(key = master): Promise<PostgresKeyRing> {
  return PostgresKeyRing.open(connect(), key);
}
function connect(): postgres.Sql {
  const sql = postgres(database.url, { max: 4, onnotice: () => {} });
  connections.push(sql);
  return sql;
}
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `room-r1|alice|day ${i}`);

describe('a key ring', () => {
  it('makes keys when they are first asked for, and gives the same ever after', async () => {
    const ring = await openRing();
    expect(await ring.find(['a', 'b'])).toEqual(new Map());
    const made = await ring.obtain(['a', 'b', 'a']);
    expect([...made.keys()].sort()).toEqual(['a', 'b']);
    expect(made.get('a')).toHaveLength(32);
    expect(made.get('a')).not.toEqual(made.get('b'));
    expect(await ring.obtain(['b', 'a'])).toEqual(made);
    expect(await (await openRing()).find(['a', 'b', 'c'])).toEqual(made);
    expect(await ring.obtain([])).toEqual(new Map());
  });

  it('keeps no key that could be read without the master key', async () => {
    const made = await (await openRing()).obtain(['a']);
    const [row] = await connect()`select wrapped from vault.keys where name = 'a'`;
    const wrapped = Buffer.from(row?.wrapped, 'base64url');
    expect(wrapped.includes(made.get('a') as Buffer)).toBe(false);
    expect(wrapped.includes(made.get('a')?.toString('base64') as string)).toBe(false);
  });

  it('refuses a key that is stored under another name', async () => {
    await (await openRing()).obtain(['a', 'b']);
    await connect()`update vault.keys set wrapped = (select wrapped from vault.keys where name = 'b') where name = 'a'`;
    await expect((await openRing()).find(['a'])).rejects.toThrow('The key a does not open');
  });
});

describe('two key rings on one database', () => {
  it('agree on keys that both make at the same time', async () => {
    const [one, other] = await Promise.all([openRing(), openRing()]);
    for (let round = 0; round < 20; round++) {
      const wanted = names(50).map((name) => `${name}, round ${round}`);
      const [here, there] = await Promise.all([one.obtain(wanted), other.obtain(wanted.toReversed())]);
      expect(here.size).toBe(50);
      expect(new Map([...here].sort())).toEqual(new Map([...there].sort()));
    }
  });

  it('do not wait for each other when they ask in opposite orders', async () => {
    const [one, other] = await Promise.all([openRing(), openRing()]);
    const sql = connect();
    let making: Promise<ReadonlyMap<string, Buffer>[]> | undefined;
    await sql
      .begin(async (tx) => {
        // Holds up both of them in the middle of their work.
        await tx`insert into vault.keys (name, wrapped) values ('m', '')`;
        making = Promise.all([one.obtain(['a', 'm', 'z']), other.obtain(['z', 'm', 'a'])]);
        making.catch(() => {});
        await vi.waitFor(async () => {
          const held = await sql`
            select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
          expect(held).toHaveLength(2);
        });
        throw new Error('undo');
      })
      .catch(() => {});
    const [here, there] = (await making) as ReadonlyMap<string, Buffer>[];
    expect(here).toEqual(there);
  });

  it('may be opened on an empty database at the same time', async () => {
    const rings = await Promise.all([openRing(), openRing(), openRing(), openRing()]);
    const keys = await Promise.all(rings.map((ring) => ring.obtain(['a'])));
    for (const found of keys) expect(found).toEqual(keys[0]);
  });
});

describe('another master key', () => {
  it('is refused, and changes nothing', async () => {
    const made = await (await openRing()).obtain(['a']);
    await expect(openRing(randomBytes(32))).rejects.toThrow(/master key is not the one/);
    expect(await (await openRing()).find(['a'])).toEqual(made);
  });

  it('is not blamed when the vault cannot be read', async () => {
    await openRing();
    await connect()`alter table vault.keys rename column wrapped to gone`;
    await expect(openRing()).rejects.toThrow(/column "wrapped" does not exist/);
  });
});

describe('a key that was destroyed', () => {
  it('is not found any more', async () => {
    await (await openRing()).obtain(['a', 'b']);
    await connect()`delete from vault.keys where name = 'a'`;
    expect([...(await (await openRing()).find(['a', 'b'])).keys()]).toEqual(['b']);
  });

  it('never comes back: under its name there will be another', async () => {
    const lost = (await (await openRing()).obtain(['a'])).get('a');
    await connect()`delete from vault.keys where name = 'a'`;
    expect((await (await openRing()).obtain(['a'])).get('a')).not.toEqual(lost);
  });
});
