import { afterAll, beforeAll, expect, it } from 'vitest';
import { forkInSql } from './interval-tree.js';
import { createReadDatabase, type TestReadDatabase } from './read-database.testing.js';
import { membersAt, membershipsChanged, messagesAt, presentIds, settingsAt } from './replay.js';

const room = 'long';
const EVENTS = 1_000_000;
const POINTS = 200;
/** Milliseconds that the answer for any point may take. */
const QUICK = 300;

let db: TestReadDatabase;

/** A room of a million events: 600,000 messages, 100,000 edits and redactions, and 150,000 people who came and went. */
beforeAll(async () => {
  db = await createReadDatabase();
  await db.sql.unsafe(`
    INSERT INTO read_1.messages (
      room_id, revision, message_id, ordinal, position, author_id, kind, text, posted_at, text_revision)
    SELECT '${room}', n * 5 / 3, 'm' || n, n, n, 'p' || n % 500, 'text', 'what was said, number ' || n,
      timestamptz '2026-01-01' + n * interval '1 second', n * 5 / 3
    FROM generate_series(3, 599999) AS n;
    INSERT INTO read_1.text_changes (room_id, message_id, redacted, revision)
    SELECT '${room}', 'm' || n * 6, n % 5 = 0, n * 10 + 7 FROM generate_series(1, 99990) AS n ON CONFLICT DO NOTHING;
    INSERT INTO read_1.setting_changes SELECT '${room}', 'name', n * 1000 FROM generate_series(0, 999) AS n;
    INSERT INTO read_1.setting_changes VALUES ('${room}', 'existence', 0), ('${room}', 'topic', 0);
    INSERT INTO read_1.tenures (room_id, user_id, since, until, fork, role, joined_at, joined_revision)
    SELECT '${room}', 'p' || n, since, until, ${forkInSql('since', 'until')}, 'member', now(), since
    FROM (SELECT n, n * 6 AS since, n * 6 + 1 + (n * 7919) % 3000 AS until FROM generate_series(1, 150000) AS n) AS there;
    INSERT INTO read_1.tenures (room_id, user_id, since, role, joined_at, joined_revision)
    SELECT '${room}', 'stays' || n, n, 'member', now(), n FROM generate_series(1, 100) AS n;
    ANALYZE;`);
}, 600_000);
afterAll(() => db.drop());

it('any point of a room of a million events is found at once', async () => {
  const times: number[] = [];
  for (let i = 0; i < POINTS; i++) {
    const revision = BigInt(1_000 + ((i * 7_919 * 613) % (EVENTS - 1_000)));
    const begin = performance.now();
    const [settings, { members }, messages] = await Promise.all([
      settingsAt(db, room, revision),
      membersAt(db, room, revision, 10_000),
      messagesAt(db, { room, revision, visibleFrom: 0n, part: 'last', page: { limit: 50 } }),
    ]);
    const places = messages.map((message) => message.revision);
    const changes = new Set(await membershipsChanged(db, room, places));
    for (const change of changes) await presentIds(db, room, change);
    times.push(performance.now() - begin);
    expect(settings.size).toBe(3);
    expect(members.length).toBeGreaterThanOrEqual(100);
    expect(messages).toHaveLength(51);
  }
  times.sort((a, b) => a - b);
  const [median, worst] = [times[POINTS / 2] as number, times.at(-1) as number];
  console.info(
    `a point of ${EVENTS} events: median ${median.toFixed(0)} ms, worst of ${POINTS} ${worst.toFixed(0)} ms`,
  );
  expect(median).toBeLessThan(QUICK);
});
