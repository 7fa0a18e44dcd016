import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase, dropDatabase } from '../tests/harness/database.testing.js';
import { startTestService } from '../tests/harness/test-service.testing.js';
import { isOlder, noteRelease, refuseIncompatible, thisRelease } from './compatibility.js';

let url: string;
let sql: Sql;
beforeAll(async () => {
  url = await createDatabase();
  sql = postgres(url, { max: 1, onnotice: () => undefined });
});
beforeEach(async () => {
  await sql`drop schema if exists desk cascade`;
});
afterAll(async () => {
  await sql.end();
  await dropDatabase(url);
});

const releases = async () => [...(await sql`select newest, oldest from desk.releases`)];

describe('a release', () => {
  it('starts on an empty database, and on one used by itself or a compatible release', async () => {
    await refuseIncompatible(sql);
    await noteRelease(sql);
    await refuseIncompatible(sql);
    expect(await releases()).toEqual([thisRelease]);
  });

  it('keeps running beside a later release that still supports it, and does not overwrite its record', async () => {
    await noteRelease(sql, { newest: '9.1.0', oldest: thisRelease.newest });
    await refuseIncompatible(sql);
    await noteRelease(sql);
    expect(await releases()).toEqual([{ newest: '9.1.0', oldest: thisRelease.newest }]);
  });

  it('refuses, in one sentence, a database whose tables no longer support it', async () => {
    await noteRelease(sql, { newest: '9.1.0', oldest: '9.0.0' });
    await expect(refuseIncompatible(sql)).rejects.toThrow(
      `This database was upgraded to release 9.1.0, which needs 9.0.0 or later, and this is ${thisRelease.newest}: start a later release, or restore a backup.`,
    );
    await expect(startTestService({ databaseUrl: url })).rejects.toThrow('upgraded to release 9.1.0');
    expect(await sql`select from pg_namespace where nspname in ('vault', 'log')`).toHaveLength(0);
  });

  it('refuses to upgrade beside incompatible processes, and upgrades once they have exited', async () => {
    await noteRelease(sql);
    const next = { newest: '9.1.0', oldest: '9.0.0' };
    const old = postgres(url, { max: 1, connection: { application_name: 'verbatim' } });
    await old`select 1`;
    await expect(refuseIncompatible(sql, { own: next })).rejects.toThrow(/Processes of release .* use this database/);
    await old.end();
    await expect
      .poll(() =>
        refuseIncompatible(sql, { own: next }).then(
          () => 'starts',
          () => 'refuses',
        ),
      )
      .toBe('starts');
    await noteRelease(sql, next);
    expect(await releases()).toEqual([next]);
  });

  it('refuses a database with an incomplete restore', async () => {
    await sql`create schema verbatim_restore`;
    await expect(refuseIncompatible(sql)).rejects.toThrow('run the interrupted restore or copy again');
    await sql`drop schema verbatim_restore`;
  });
});

it.each([
  ['0.9.0', '0.10.0', true],
  ['1.0.0', '0.10.0', false],
  ['1.2.3', '1.2.3', false],
  ['1.2.3', '1.2.4-rc.1', true],
])('%s came before %s: %s', (one, other, older) => {
  expect(isOlder(one, other)).toBe(older);
});
