import { Client } from '@verbatim/client';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../config.js';
import { neverSeen, outcome } from '../../tests/harness/contract.testing.js';
import { eventually, register, signIn, type TestPerson, Visitor } from '../../tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { Settings } from './settings.js';

let service: TestService;
let sql: Sql;
let admin: TestPerson;
let auditor: TestPerson;
let person: TestPerson;
let visitor: Visitor;

beforeAll(async () => {
  service = await startTestService();
  sql = postgres(service.databaseUrl, { max: 2, onnotice: () => undefined });
  admin = await signIn(service.url);
  [auditor, person] = [await register(service.url), await register(service.url)];
  await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
  visitor = new Visitor(service.url);
});
afterAll(async () => {
  await sql.end();
  await service.stop();
});

/** After a restart the service has another address. */
async function comeBack(): Promise<void> {
  [visitor, admin] = [new Visitor(service.url), await signIn(service.url)];
  [auditor, person] = [auditor.at(service.url), person.at(service.url)];
}

describe('the read models', () => {
  const projections = async () => (await admin.get('/v1/projections')).body;

  it('show administrators and auditors their progress', async () => {
    type Group = { lag: number; movedAt: string | null };
    // A group that had come to the end before anybody looked is seen to move with the next event.
    const moved = async () => {
      await person.room();
      return eventually(projections, ({ groups }) => groups.every(({ lag }: Group) => lag === 0));
    };
    const shown = await eventually(moved, ({ groups }) => groups.every(({ movedAt }: Group) => movedAt !== null));
    expect(shown).toMatchObject({ schema: 'read_1', projecting: true, rebuild: null });
    for (const { checkpoint, movedAt } of shown.groups) {
      expect(checkpoint).toBe(shown.head);
      expect(Date.now() - Date.parse(movedAt)).toBeLessThan(60_000);
    }
    expect(outcome(await auditor.get('/v1/projections'))).toBe(200);
    expect(outcome(await person.get('/v1/projections'))).toBe('forbidden');
    expect(outcome(await visitor.get('/v1/projections'))).toBe('unauthenticated');
  });

  it('are rebuilt for an administrator, and then show the same', async () => {
    const room = await person.room({ name: 'seen before and after' });
    const before = await projections();
    expect(outcome(await admin.post('/v1/projections/rebuild'))).toBe(202);
    await eventually(projections, ({ schema, rebuild }) => schema !== before.schema && rebuild === null);
    expect((await person.get(`/v1/rooms/${room}`)).body.name).toBe('seen before and after');
  });

  it('are rebuilt for nobody else, and only for administrators who have recently proved their identity', async () => {
    expect(outcome(await auditor.post('/v1/projections/rebuild'))).toBe('forbidden');
    expect(outcome(await person.post('/v1/projections/rebuild'))).toBe('forbidden');
    expect(outcome(await visitor.post('/v1/projections/rebuild'))).toBe('unauthenticated');
    const late = await signIn(service.url);
    await sql`update vault.sessions set proved_at = now() - interval '1 hour' where user_id = ${late.id}`;
    expect(outcome(await late.post('/v1/projections/rebuild'))).toBe('mfa_required');
    admin = await signIn(service.url);
  });

  it('are rebuilt once at a time, and all processes see the progress', async () => {
    const other = await sql.reserve();
    await other`select pg_advisory_lock(hashtextextended('verbatim rebuild', 0))`;
    expect(outcome(await admin.post('/v1/projections/rebuild'))).toBe('conflict');
    await beginToBuild(99, 3);
    const { rebuild, head } = await projections();
    expect(rebuild).toEqual({ schema: 'read_99', done: 4, total: head + 1 });
    await other`select pg_advisory_unlock_all()`;
    other.release();
    // What was killed is not taken for one that runs.
    await eventually(projections, ({ rebuild }) => rebuild === null);
  });

  it('are not lost when the service ends meanwhile', async () => {
    for (let i = 0; i < 20; i++) await person.room();
    await admin.post('/v1/projections/rebuild');
    await service.restart();
    await comeBack();
    const shown = await eventually(projections, ({ rebuild }) => rebuild === null);
    expect(shown.groups.map(({ name }: { name: string }) => name)).toEqual(['timeline', 'search']);
    expect((await admin.all('/v1/rooms')).length).toBeGreaterThanOrEqual(20);
  });

  /** What a rebuild of another process leaves to be seen once it has come to a position. */
  async function beginToBuild(n: number, position: number): Promise<void> {
    const { schema } = await projections();
    await sql`insert into desk.read_schemas (n, version, state) values (${n}, 'of the test', 'building')`;
    await sql.unsafe(`create schema read_${n}; create table read_${n}.checkpoints (like ${schema}.checkpoints)`);
    await sql.unsafe(`insert into read_${n}.checkpoints select projection, ${position} from ${schema}.checkpoints`);
  }
});

describe('the overview', () => {
  it('is for administrators and auditors', async () => {
    expect((await admin.get('/v1/overview')).body).toMatchObject({
      replicas: [{ answers: true, sockets: 0, people: 0 }],
    });
    expect(outcome(await auditor.get('/v1/overview'))).toBe(200);
    expect(outcome(await person.get('/v1/overview'))).toBe('forbidden');
    expect(outcome(await visitor.get('/v1/overview'))).toBe('unauthenticated');
  });
});

describe('the settings', () => {
  it('are shown to administrators and auditors as they were read, without a secret', async () => {
    const shown = await admin.get('/v1/settings');
    expect(shown.body).toMatchObject({
      registration: 'open',
      singleSignOn: null,
      secondFactorFor: [],
      limits: null,
      database: 'embedded',
      eventStore: 'postgresql',
    });
    expect(shown.text).not.toContain(administrator.password);
    expect(outcome(await auditor.get('/v1/settings'))).toBe(200);
    expect(outcome(await person.get('/v1/settings'))).toBe('forbidden');
    expect(outcome(await visitor.get('/v1/settings'))).toBe('unauthenticated');
  });

  it('show nothing of what is secret in the environment, and each limit', () => {
    const secrets = {
      DATABASE_URL: 'postgres://user:secret-1@127.0.0.1/x',
      EVENT_STORE_URL: 'kurrentdb://user:secret-2@127.0.0.1:2113',
      MASTER_KEY: Buffer.alloc(32, 'secret-3').toString('base64'),
      ADMIN_PASSWORD: 'secret-4-secret-4',
      OIDC_ISSUER: 'https://id.example.org',
      OIDC_CLIENT_ID: 'secret-5',
      OIDC_CLIENT_SECRET: 'secret-6',
      OIDC_REDIRECT_URI: 'https://chat.example.org/v1/auth/sso/callback',
    };
    const { shown } = Settings.of(readConfig({ ...secrets, REQUIRE_MFA: 'admin', LIMIT_POSTS: '7/9' }));
    expect(JSON.stringify(shown)).not.toMatch(/secret-|@127/);
    expect(JSON.stringify(shown)).not.toContain(secrets.MASTER_KEY);
    expect(shown).toMatchObject({ eventStore: 'kurrentdb', database: 'external', secondFactorFor: ['admin'] });
    expect(shown.limits).toContainEqual({ name: 'LIMIT_POSTS', count: 7, seconds: 9 });
    expect(shown.limits).toContainEqual({ name: 'LIMIT_SOCKETS', count: 50, seconds: null });
  });
});

describe('the announcement', () => {
  const shown = async () => (await visitor.get('/v1/about')).body.announcement;

  it('of an administrator is shown to everybody, until it is withdrawn', async () => {
    const text = 'Closed on Sunday from 6 to 7';
    const announced = await admin.client.call('announce', { body: { text } });
    expect(announced.text).toBe(text);
    expect(await shown()).toEqual(announced);
    expect(await new Client({ servers: [service.url] }).call('getAbout')).toMatchObject({ announcement: { text } });
    await service.restart();
    await comeBack();
    expect(await shown()).toEqual(announced);
    expect(outcome(await admin.delete('/v1/announcement'))).toBe(204);
    expect(await shown()).toBeNull();
    expect(outcome(await admin.delete('/v1/announcement'))).toBe(204);
  });

  it('is made by nobody else', async () => {
    for (const [who, refusal] of [
      [person, 'forbidden'],
      [auditor, 'forbidden'],
      [visitor, 'unauthenticated'],
    ] as const) {
      expect(outcome(await who.put('/v1/announcement', { text: 'x' }))).toBe(refusal);
      expect(outcome(await who.delete('/v1/announcement'))).toBe(refusal);
    }
    expect(await shown()).toBeNull();
  });
});

describe('maintenance', () => {
  it('is begun and ended by administrators alone', async () => {
    for (const [who, refusal] of [
      [person, 'forbidden'],
      [auditor, 'forbidden'],
      [visitor, 'unauthenticated'],
    ] as const) {
      expect(outcome(await who.put('/v1/maintenance', {}))).toBe(refusal);
      expect(outcome(await who.delete('/v1/maintenance'))).toBe(refusal);
    }
    const past = { until: '2020-01-01T00:00:00Z' };
    expect(outcome(await admin.put('/v1/maintenance', past))).toBe('invalid_request');
    expect((await admin.put('/v1/maintenance', {})).body).toMatchObject({ text: null, until: null });
    expect(outcome(await admin.delete('/v1/maintenance'))).toBe(204);
    expect(outcome(await admin.delete('/v1/maintenance'))).toBe(204);
  });
});

it('all calls of administration have been seen with each of their answers', () => {
  expect(neverSeen('Administration')).toEqual([]);
});
