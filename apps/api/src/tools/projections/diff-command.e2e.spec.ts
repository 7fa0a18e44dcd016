import { randomBytes } from 'node:crypto';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, register, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { startCommand } from '../log/cli-process.testing.js';

const MASTER_KEY = randomBytes(32).toString('base64');

let service: TestService;
let sql: Sql;
let admin: TestPerson;
let ada: TestPerson;
let bob: TestPerson;
let room: string;

beforeAll(async () => {
  service = await startTestService({ environment: { MASTER_KEY } });
  sql = postgres(service.databaseUrl, { max: 2, onnotice: () => undefined });
  [admin, ada, bob] = [await signIn(service.url), await register(service.url), await register(service.url)];
  room = await ada.roomWith([bob]);
  const { id } = await ada.says(room, 'the ferry leaves at nine');
  await bob.says(room, 'ברוך הבא, ขอบคุณ 🐙');
  await ada.patch(`/v1/rooms/${room}/messages/${id}`, { text: 'the ferry leaves at ten' });
  await bob.put(`/v1/rooms/${room}/messages/${id}/reactions/%F0%9F%91%8D`);
});
afterAll(async () => {
  await sql.end();
  await service.stop();
});

const diff = async () => {
  const settings = { DATABASE_URL: service.databaseUrl, MASTER_KEY, LOG_LEVEL: 'error' };
  const { code, printed, complained } = await startCommand(['projections', 'diff'], settings).ended;
  return { code, lines: printed.trim().split('\n'), complained };
};

const live = async () => {
  const [row] = await sql`select n from desk.read_schemas where state = 'live'`;
  return `read_${row?.n}`;
};

const schemas = async () =>
  (await sql`select nspname as name from pg_namespace where nspname ~ '^read_' order by 1`).map(({ name }) => name);

describe('projections diff', { timeout: 180_000 }, () => {
  it('finds nothing in read models that nobody touched, while people go on writing, and leaves nothing behind', async () => {
    const before = await schemas();
    let over = false;
    const talk = (async () => {
      while (!over) await bob.says(room, 'and another thing');
    })();
    const { code, lines } = await diff();
    over = true;
    await talk;
    expect(code).toBe(0);
    expect(lines).toEqual([
      expect.stringMatching(/^\d+ rows of 18 tables were compared at position \d+; none differs\.$/),
    ]);
    expect(await schemas()).toEqual(before);
  });

  it('tells each row that was changed, deleted or added by hand, with its key and columns, and no text', async () => {
    const name = await live();
    const schema = sql(name);
    const [message] = await sql`
      select message_id, revision from ${schema}.messages where text like '%ferry%'`;
    await sql`update ${schema}.messages set text = 'a forged text', posted_at = posted_at - interval '1 hour'
      where message_id = ${message?.message_id}`;
    await sql`delete from ${schema}.members where room_id = ${room} and user_id = ${bob.id}`;
    await sql`insert into ${schema}.posters (user_id, messages) values ('nobody', 7)`;
    await sql`update ${schema}.people set display_name = null where id = ${ada.id}`;

    const { code, lines } = await diff();
    expect(code).toBe(1);
    expect(lines).toEqual([
      `members room_id=${room} user_id=${bob.id}: missing`,
      `messages room_id=${room} revision=${message?.revision}: different (posted_at, text)`,
      `people id=${ada.id}: different (display_name)`,
      'posters user_id=nobody: surplus',
      expect.stringMatching(/; 4 differ\.$/),
    ]);

    const before = await live();
    await admin.post('/v1/projections/rebuild', {});
    await eventually(live, (now) => now !== before);
    expect((await diff()).code).toBe(0);
  });

  it('says that it could not look while a rebuild holds the place, without a master key, and when called wrongly', async () => {
    const rebuild = await sql.reserve();
    await rebuild`select pg_advisory_lock(hashtextextended('verbatim rebuild', 0))`;
    expect(await diff()).toMatchObject({
      code: 3,
      complained: expect.stringContaining('A rebuild or another comparison is running'),
    });
    await rebuild`select pg_advisory_unlock_all()`;
    rebuild.release();
    const settings = { DATABASE_URL: service.databaseUrl, MASTER_KEY: '', VERBATIM_DATA: '/nowhere' };
    expect((await startCommand(['projections', 'diff'], settings).ended).code).toBe(3);
    const lost = { ...settings, MASTER_KEY, DATABASE_URL: 'postgres://127.0.0.1:1/none' };
    expect((await startCommand(['projections', 'diff'], lost).ended).code).toBe(3);
    expect((await startCommand(['projections', 'diff', '--fast']).ended).code).toBe(2);
  });
});
