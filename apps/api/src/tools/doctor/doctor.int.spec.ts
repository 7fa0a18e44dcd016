import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig, settingNames } from '../../config.js';
import { doors } from '../../doors/doors.js';
import { type PostgresPair, startPostgresPair } from '../../tests/harness/standby.testing.js';
import { register } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { FakeWitness } from '../../units/transparency/fake-witness.testing.js';
import { units } from '../../units/units.js';
import { examine, type Patient } from './examination.js';

let service: TestService;
let sql: Sql;
beforeAll(async () => {
  service = await startTestService();
  await (await register(service.url)).room();
  sql = postgres(service.databaseUrl, { max: 1, onnotice: () => undefined });
});
afterAll(async () => {
  await sql.end();
  await service.stop();
});

const patient = (more: Partial<Patient> = {}): Patient => ({
  config: readConfig({}),
  environment: { LIMIT_POSTS: '100/10', PATH: '/bin' },
  settings: settingNames([...units, ...doors]),
  sql,
  head: async () => BigInt((await sql`select max(position) as position from log.events`)[0]?.position),
  now: () => new Date(),
  ...more,
});

const found = async (name: string, more: Partial<Patient> = {}) =>
  (await examine(patient(more))).find((finding) => finding.name === name);

describe('the doctor, for a database with a standby', () => {
  let pair: PostgresPair;
  let primary: Sql;
  beforeAll(async () => {
    pair = await startPostgresPair();
    primary = postgres(pair.primaryUrl, { max: 1, onnotice: () => undefined });
  }, 120_000);
  afterAll(async () => {
    await primary.end();
    await pair.stop();
  });
  const replication = (url?: string) =>
    found('replication', { sql: primary, config: readConfig(url ? { DATABASE_READ_URL: url } : {}) });

  it('reports how far the standby is behind, and whether it can serve reads', async () => {
    await expect.poll(async () => (await replication())?.says).toMatch(/streaming, \d+ KiB and \d+\.\d s behind/);
    expect(await replication(pair.standbyUrl)).toMatchObject({
      state: 'ok',
      says: expect.stringMatching(/the replica for lists is \d+ KiB behind$/),
    });
  });

  it('finds that DATABASE_READ_URL does not point to a standby of this database, or to nothing', async () => {
    for (const url of [pair.primaryUrl, service.databaseUrl])
      expect(await replication(url)).toMatchObject({
        state: 'bad',
        says: expect.stringContaining('DATABASE_READ_URL does not point to a standby of this database'),
      });
    const nothing = await replication('postgres://nobody:sesame@127.0.0.1:1/nothing');
    expect(nothing).toMatchObject({ state: 'bad', says: expect.stringContaining('cannot be queried') });
    expect(JSON.stringify(nothing)).not.toContain('sesame');
  });

  it('finds a slot that retains the log for a standby that is gone', async () => {
    await primary`select pg_create_physical_replication_slot('forgotten', true)`;
    await primary`create table filler (n int)`;
    // Each switch begins another segment of 16 MiB.
    for (let n = 0; n < 20; n++) {
      await primary`insert into filler values (${n})`;
      await primary`select pg_switch_wal()`;
    }
    expect(await replication()).toMatchObject({
      state: 'bad',
      says: expect.stringMatching(/^nothing reads the slot forgotten, for which \d+ MiB of log are retained$/),
    });
    await primary`select pg_drop_replication_slot('forgotten')`;
    expect((await replication())?.state).not.toBe('bad');
  });
});

describe('the doctor', () => {
  it('finds nothing bad in a healthy service, and gives advice on everything that is not ok', async () => {
    for (const name of ['read models', 'witnesses'])
      await expect.poll(async () => (await found(name))?.state).toBe('ok');
    const findings = await examine(patient());
    expect(findings.map(({ name }) => name)).toEqual([
      ...['settings', 'versions', 'database', 'replication', 'event store', 'read models', 'indexes', 'witnesses'],
      ...['clock', 'disk', 'certificates'],
    ]);
    expect(findings.filter(({ state }) => state === 'bad')).toEqual([]);
    for (const { state, advice } of findings) expect(advice === undefined).toBe(state === 'ok');
  });

  it('finds misspelt settings', async () => {
    expect(await found('settings', { environment: { LIMIT_POST: '1/1', OIDC_LABEL: 'x' } })).toMatchObject({
      state: 'look',
      says: 'LIMIT_POST is not a setting',
    });
  });

  it('finds a wrong clock', async () => {
    const now = () => new Date(Date.now() + 5_000);
    expect(await found('clock', { now })).toMatchObject({
      state: 'bad',
      says: expect.stringMatching(/^[45]\.\d+ s apart/),
    });
  });

  it('finds read models that are behind, and reports by how much', async () => {
    const head = patient().head;
    expect(await found('read models', { head: async () => (await head()) + 7n })).toMatchObject({
      state: 'look',
      says: expect.stringContaining('timeline is 7 positions behind'),
    });
  });

  it('finds an invalid index', async () => {
    await sql`update pg_index set indisvalid = false where indexrelid = 'vault.names_owner'::regclass`;
    expect(await found('indexes')).toMatchObject({ state: 'bad', says: 'vault.names_owner invalid' });
    await sql`update pg_index set indisvalid = true where indexrelid = 'vault.names_owner'::regclass`;
  });

  it('finds a bloated index', async () => {
    await sql`create table cache.swollen (n int primary key)`;
    await sql`insert into cache.swollen select generate_series(1, 500000)`;
    await sql`analyze cache.swollen`;
    expect(await found('indexes')).toMatchObject({ state: 'ok' });
    await sql`delete from cache.swollen where n % 50 > 0`;
    await sql`vacuum analyze cache.swollen`;
    expect(await found('indexes')).toMatchObject({
      state: 'look',
      says: expect.stringMatching(/^cache\.swollen_pkey takes 1\d MiB, \d+ times what its rows need$/),
      advice: expect.stringContaining('REINDEX INDEX CONCURRENTLY'),
    });
    await sql`drop table cache.swollen`;
  });

  it('finds that nothing is signed, that a quorum is missing, and witnesses that do not cosign', async () => {
    const witness = await FakeWitness.start('witness.example');
    const config = readConfig({ AUDIT_WITNESSES: witness.setting, AUDIT_QUORUM: '1' });
    expect(await found('witnesses', { config })).toMatchObject({
      state: 'look',
      says: expect.stringContaining('witness.example has never cosigned'),
    });
    await sql`update desk.log_trees set below_quorum_since = now()`;
    expect(await found('witnesses', { config })).toMatchObject({
      state: 'bad',
      says: expect.stringContaining('lacked their quorum since 20'),
    });
    await sql`update desk.log_trees set below_quorum_since = null, halted = 'The log was put back.'`;
    expect(await found('witnesses')).toMatchObject({
      state: 'bad',
      says: 'nothing is signed: The log was put back',
    });
    await sql`update desk.log_trees set halted = null`;
    const file = readConfig({ AUDIT_WITNESS_FILE: '/proc/nowhere/checkpoints' });
    expect(await found('witnesses', { config: file })).toMatchObject({
      state: 'bad',
      says: '/proc/nowhere/checkpoints cannot be written',
    });
    witness.stop();
  });

  it('continues when a server cannot be queried', async () => {
    const head = () => Promise.reject(new Error('The event store is not available: gone.'));
    const findings = await examine(patient({ head }));
    expect(findings.find(({ name }) => name === 'event store')).toMatchObject({
      state: 'bad',
      says: 'The event store is not available: gone',
    });
    expect(findings).toHaveLength(11);
  });
});
