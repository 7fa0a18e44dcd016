import { randomBytes } from 'node:crypto';
import { PostgresKeyRing } from '@verbatim/event-store';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../new-id.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { KeyPairs, MAX_NONCES } from './key-pairs.js';
import { migrateVault } from './schema.js';
import { Sessions } from './sessions.js';

let database: string;
let sql: Sql;
let sessions: Sessions;
let pairs: KeyPairs;
let now = new Date();

beforeAll(async () => {
  database = await createDatabase();
  sql = postgres(database, { max: 4, onnotice: () => undefined });
  const keys = await PostgresKeyRing.open(sql, randomBytes(32));
  await migrateVault(sql, keys);
  sessions = new Sessions(sql, keys, () => now);
  pairs = await KeyPairs.open(sql, keys, () => now);
});
afterAll(async () => {
  await sql?.end();
  await dropDatabase(database);
});

async function session() {
  const ref = { sessionId: newId(), userId: newId() };
  await sessions.start({ ...ref, how: 'password', device: { address: null, userAgent: null } });
  return ref;
}

const later = () => new Date(now.getTime() + 60_000);

describe('a key pair', () => {
  it('is found by its access key, with its secret, which is sealed', async () => {
    const ref = await session();
    const pair = await pairs.issue(ref);
    expect(await pairs.find(pair.accessKey)).toEqual({ ...ref, accessKey: pair.accessKey, secret: pair.secret });
    const [row] = await sql`select * from vault.key_pairs where session_id = ${ref.sessionId}`;
    expect(JSON.stringify(row)).not.toContain(pair.secret);
    expect(await pairs.find('A'.repeat(52))).toBeNull();
  });

  it('replaces an earlier one of its session, and ends with the session', async () => {
    const ref = await session();
    const first = await pairs.issue(ref);
    const second = await pairs.issue(ref);
    expect(await pairs.find(first.accessKey)).toBeNull();
    expect(second.createdAt).toEqual(first.createdAt);
    await sql`delete from vault.sessions where id = ${ref.sessionId}`;
    expect(await pairs.find(second.accessKey)).toBeNull();
  });

  it('accepts each nonce once, until the signatures with it have expired', async () => {
    const pair = await pairs.issue(await session());
    const other = await pairs.issue(await session());
    const tries = await Promise.all(Array.from({ length: 8 }, () => pairs.useNonces(pair, ['a'], later())));
    expect(tries.filter(Boolean)).toHaveLength(1);
    expect(await pairs.useNonces(other, ['a'], later())).toBe(true);
    expect(await pairs.useNonces(pair, ['a', 'b'], later())).toBe(false);
    now = new Date(now.getTime() + 61_000);
    await pairs.sweep();
    expect(await pairs.useNonces(pair, ['a'], later())).toBe(true);
  });

  it('accepts no nonces beyond the limit until some have expired', async () => {
    const pair = await pairs.issue(await session());
    await sql`
      insert into vault.nonces (session_id, hash, expires_at)
      select ${pair.sessionId}, n::text, ${later()} from generate_series(1, ${MAX_NONCES}) n`;
    expect(await pairs.useNonces(pair, ['new'], later())).toBe(false);
    now = new Date(now.getTime() + 61_000);
    expect(await pairs.useNonces(pair, ['new'], later())).toBe(true);
  });
});
