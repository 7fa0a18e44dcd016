import { randomBytes } from 'node:crypto';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcome } from '../../tests/harness/contract.testing.js';
import { eventually, register, signIn, type TestPerson, unknownId } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

const DAY_MS = 86_400_000;

let service: TestService;
let other: TestService;
let sql: Sql;
let admin: TestPerson;
let ada: TestPerson;
let ahead = 0;
const clock = () => new Date(Date.now() + ahead * DAY_MS);

beforeAll(async () => {
  const environment = { RETENTION_INTERVAL: '1' };
  service = await startTestService({ environment, clock });
  other = await startTestService({ environment, clock, beside: service });
  sql = postgres(service.databaseUrl, { max: 1, onnotice: () => undefined });
  [admin, ada] = [await signIn(service.url), await register(service.url)];
});
afterAll(async () => {
  await sql.end();
  await other.stop();
  await service.stop();
});

/** Sessions end meanwhile. */
async function daysPass(days: number): Promise<void> {
  ahead += days;
  admin = await signIn(service.url);
  ada = await signIn(service.url, { username: ada.username, password: 'correct horse' });
}

const rare = () => `q${randomBytes(7).toString('hex')}z`;

const rule = async (of: object, more: object = {}): Promise<string> => {
  const { status, body } = await admin.post('/v1/retention', { reason: 'Policy 2', ...of, ...more });
  expect(status).toBe(201);
  return body.id;
};
const remove = async (id: string) =>
  expect(outcome(await admin.delete(`/v1/retention/${id}`, { reason: 'Policy 3' }))).toBe(204);
const retention = async () => (await admin.get('/v1/retention')).body;
const dryRun = async (more: Record<string, string | number> = {}) =>
  (
    await admin.get(
      `/v1/retention/dry-run?${new URLSearchParams(Object.entries(more).map(([name, value]): [string, string] => [name, `${value}`]))}`,
    )
  ).body;
const textsIn = async (room: string): Promise<(string | null)[]> =>
  (await ada.get(`/v1/rooms/${room}/messages`)).body.items.map(({ text }: { text: string | null }) => text);
/** When everything that is due was asked for and erased, or is held. */
async function idle() {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const now = await retention();
    if (now.pass?.complete && now.pass.day === today() && now.waiting === 0) return now;
    if (Date.now() > deadline) throw new Error(`It is still at it: ${JSON.stringify(now)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
const today = () => clock().toISOString().slice(0, 10);

describe('texts that are older than a rule allows', { timeout: 400_000 }, () => {
  it('are erased, the younger ones stay, and a more specific rule wins', async () => {
    const [plain, hidden, kept] = [await ada.room(), await ada.room({ visibility: 'hidden' }), await ada.room()];
    const old = [rare(), rare(), rare()] as const;
    const messages = [await ada.says(plain, old[0]), await ada.says(hidden, old[1]), await ada.says(kept, old[2])];
    const edited = await ada.says(plain, rare());
    await daysPass(10);
    const young = [rare(), rare()] as const;
    await ada.says(plain, young[0]);
    await ada.patch(`/v1/rooms/${plain}/messages/${edited.id}`, { text: young[1] });

    expect(await dryRun({ days: 5 })).toEqual({ messages: 3, rooms: 3, held: 0, complete: true });
    expect(await dryRun({ visibility: 'hidden', days: 5 })).toMatchObject({ messages: 1, rooms: 1 });
    expect(await dryRun({ days: 10 })).toMatchObject({ messages: 0, rooms: 0 });
    expect(await dryRun()).toMatchObject({ messages: 0, rooms: 0 });

    const rules = [
      await rule({ room: kept, days: null }),
      await rule({ visibility: 'hidden', days: 60 }),
      await rule({ days: 5 }),
    ];
    expect(await dryRun()).toMatchObject({ messages: expect.any(Number), held: 0, complete: true });
    await idle();

    expect(await textsIn(plain)).toEqual([young[0], young[1], null]);
    expect([await textsIn(hidden), await textsIn(kept)]).toEqual([[old[1]], [old[2]]]);
    const found = (await ada.get(`/v1/search?q=${old[0]}&room=${plain}`)).body.items;
    expect(found).toEqual([]);
    const days = messages[0]?.postedAt.slice(0, 10);
    const keys = await sql`select name from vault.keys where name like ${`room-${plain}|%|${days}`}`;
    expect(keys).toEqual([]);
    // Nothing of it is due any more, and each room was asked for once, although two replicas look.
    expect(await dryRun()).toMatchObject({ messages: 0, rooms: 0 });
    const [asked] = await sql`select count(*)::int as count from log.events
      where type = 'ErasureRequested' and sealed like ${`%${plain}%`}`;
    expect(asked?.count).toBe(1);
    await daysPass(60);
    await idle();
    expect([await textsIn(hidden), await textsIn(kept)]).toEqual([[null], [old[2]]]);
    for (const id of rules) await remove(id);
  });

  it('stay under a hold, and are erased when it is lifted', async () => {
    const [bob, room] = [await register(service.url), await ada.room()];
    const free = await ada.room();
    const held = await ada.roomWith([bob]);
    const said = rare();
    await bob.says(held, said);
    await ada.says(room, rare());
    await ada.says(free, rare());
    const { body: hold } = await admin.post('/v1/holds', { person: bob.id, reason: 'Case 1' });
    const { body: ofRoom } = await admin.post('/v1/holds', { room, reason: 'Case 2' });
    await daysPass(10);
    const id = await rule({ days: 5 });
    const { pass } = await idle();
    expect(pass.held).toBeGreaterThanOrEqual(2);
    expect(await dryRun()).toMatchObject({ held: 2, rooms: 0 });
    expect(await textsIn(held)).toEqual([said]);
    expect(await textsIn(free)).toEqual([null]);

    for (const { id } of [hold, ofRoom]) expect(outcome(await admin.delete(`/v1/holds/${id}`))).toBe(204);
    await idle();
    expect([...(await textsIn(held)), ...(await textsIn(room))]).toEqual([null, null]);
    await remove(id);
  });

  it('stay when the rule is gone before the hold is lifted', async () => {
    const room = await ada.room();
    const said = rare();
    await ada.says(room, said);
    const { body: hold } = await admin.post('/v1/holds', { room, reason: 'Case 3' });
    await daysPass(10);
    const id = await rule({ room, days: 5 });
    await idle();
    await remove(id);
    expect(outcome(await admin.delete(`/v1/holds/${hold.id}`))).toBe(204);
    await idleOrNone();
    expect(await textsIn(room)).toEqual([said]);
  });
});

/** Without a rule nobody looks. */
const idleOrNone = () => eventually(retention, ({ waiting, rules }) => waiting === 0 && rules.length === 0);

describe('a rule', () => {
  it('is on the audit trail with its reason, and takes the place of the one before', async () => {
    const [first, second] = [await rule({ days: 400 }), await rule({ days: 500 })];
    expect((await retention()).rules).toEqual([
      { id: second, room: null, visibility: null, days: 500, by: admin.id, setAt: expect.any(String) },
    ]);
    expect(outcome(await admin.delete(`/v1/retention/${first}`, { reason: 'x' }))).toBe('not_found');
    await remove(second);
    const trail = await admin.all('/v1/audit?kind=service');
    const told = trail.slice(0, 2).map(({ action, reason, detail }) => [action, reason, detail]);
    expect(told).toEqual([
      ['RetentionRuleRemoved', 'Policy 3', null],
      ['RetentionRuleSet', 'Policy 2', '500 days'],
    ]);
  });

  it('that is not one is refused', async () => {
    const ask = async (body: object) => outcome(await admin.post('/v1/retention', body));
    expect(await ask({ days: 5 })).toBe('reason_required');
    for (const wrong of [{}, { days: 0 }, { days: 1.5 }, { days: '5' }, { days: 36_526 }, { days: 5, visibility: 'x' }])
      expect(await ask({ reason: 'x', ...wrong })).toBe('invalid_request');
    expect(await ask({ reason: 'x', days: 5, room: unknownId(), visibility: 'public' })).toBe('invalid_request');
    expect(await ask({ reason: 'x', days: 5, room: unknownId() })).toBe('not_found');
    expect(outcome(await ada.post('/v1/retention', { days: 5, reason: 'x' }))).toBe('forbidden');
    expect(outcome(await admin.delete(`/v1/retention/${unknownId()}`))).toBe('reason_required');
    expect(outcome(await admin.get('/v1/retention/dry-run?visibility=public'))).toBe('invalid_request');
    expect(outcome(await admin.get(`/v1/retention/dry-run?room=${unknownId()}&days=3`))).toBe('not_found');
  });
});
