import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig, settingNames } from '../../config.js';
import { doors } from '../../doors/doors.js';
import { register } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
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

describe('the doctor', () => {
  it('finds nothing bad in a service that is well, and says what to do about all that is not ok', async () => {
    await expect.poll(async () => (await found('read models'))?.state).toBe('ok');
    const findings = await examine(patient());
    expect(findings.map(({ name }) => name)).toEqual([
      ...['settings', 'versions', 'database', 'event store', 'read models', 'indexes', 'clock', 'disk', 'certificates'],
    ]);
    expect(findings.filter(({ state }) => state === 'bad')).toEqual([]);
    for (const { state, advice } of findings) expect(advice === undefined).toBe(state === 'ok');
  });

  it('finds misspelt settings', async () => {
    expect(await found('settings', { environment: { LIMIT_POST: '1/1', OIDC_LABEL: 'x' } })).toMatchObject({
      state: 'look',
      says: 'LIMIT_POST is no setting',
    });
  });

  it('finds a clock that is wrong', async () => {
    const now = () => new Date(Date.now() + 5_000);
    expect(await found('clock', { now })).toMatchObject({
      state: 'bad',
      says: expect.stringMatching(/^[45]\.\d+ s apart/),
    });
  });

  it('finds read models that are behind, and says by how much', async () => {
    const head = patient().head;
    expect(await found('read models', { head: async () => (await head()) + 7n })).toMatchObject({
      state: 'look',
      says: expect.stringContaining('timeline is 7 positions behind'),
    });
  });

  it('finds an index that is not valid', async () => {
    await sql`update pg_index set indisvalid = false where indexrelid = 'vault.names_owner'::regclass`;
    expect(await found('indexes')).toMatchObject({ state: 'bad', says: 'vault.names_owner invalid' });
    await sql`update pg_index set indisvalid = true where indexrelid = 'vault.names_owner'::regclass`;
  });

  it('goes on when a server cannot be asked', async () => {
    const head = () => Promise.reject(new Error('The event store is not available: gone.'));
    const findings = await examine(patient({ head }));
    expect(findings.find(({ name }) => name === 'event store')).toMatchObject({
      state: 'bad',
      says: 'The event store is not available: gone',
    });
    expect(findings).toHaveLength(9);
  });
});
