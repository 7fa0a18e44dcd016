import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { generatedLog } from '../../../../../libs/event-store/src/generated-log.testing.js';
import { logCommand, startLogCommand } from './cli-process.testing.js';
import { asRows, dropLogDatabases, Gate, type LogDatabase, logDatabase, rowsOf } from './log-database.testing.js';

const log = generatedLog({ events: 6_000, rooms: 60 });

afterAll(dropLogDatabases);

describe('log copy', () => {
  let source: LogDatabase;
  beforeAll(async () => {
    source = await logDatabase(log);
  });

  it('copies a log byte for byte, and changes nothing when it is done again', async () => {
    const target = await logDatabase();
    const { code, printed } = await logCommand('copy', '--from', source.url, '--to', target.url);
    expect(await rowsOf(target)).toEqual(asRows(log));
    expect(await rowsOf(source)).toEqual(asRows(log));
    expect(printed).toMatch(/6,000 events were copied, 0 were already there/);
    expect(printed).toMatch(/6,000 events in 60 streams were checked/);
    expect(code).toBe(0);

    const again = await logCommand('copy', '--from', source.url, '--to', target.url);
    expect(again.printed).toMatch(/0 events were copied, 6,000 were already there/);
    expect(again.code).toBe(0);
    expect(await rowsOf(target)).toEqual(asRows(log));
  });

  it('is killed in the middle, and the next one continues', async () => {
    const target = await logDatabase(log.slice(0, 1));
    for (const position of [200, 3_500]) {
      const gate = await Gate.at(position, target);
      const { child, ended } = startLogCommand(['copy', '--from', source.url, '--to', target.url]);
      await gate.waiting();
      child.kill('SIGKILL');
      expect((await ended).code).toBeNull();
      await gate.openForNobody();
      const there = await rowsOf(target);
      expect(there.length).toBeLessThanOrEqual(position);
      expect(there).toEqual(asRows(log.slice(0, there.length)));
    }
    const { code } = await logCommand('copy', '--from', source.url, '--to', target.url);
    expect(code).toBe(0);
    expect(await rowsOf(target)).toEqual(asRows(log));
  });

  it('is killed, and its last append arrives only when the next one is at work', async () => {
    const target = await logDatabase(log.slice(0, 1));
    const gate = await Gate.at(2_000, target);
    const first = startLogCommand(['copy', '--from', source.url, '--to', target.url]);
    await gate.waiting();
    first.child.kill('SIGKILL');
    await first.ended;
    const second = startLogCommand(['copy', '--from', source.url, '--to', target.url]);
    // The append of the first one holds the lock of the log, for which that of the second one waits.
    await vi.waitUntil(async () => (await gate.waiters()).length >= 2, 25_000);
    await gate.open();
    expect((await second.ended).code).toBe(0);
    expect(await rowsOf(target)).toEqual(asRows(log));
  });

  it('refuses a target that holds another log, and leaves it alone', async () => {
    const other = generatedLog({ events: 100, rooms: 2 });
    const target = await logDatabase(other);
    const { code, complained, printed } = await logCommand('copy', '--from', source.url, '--to', target.url);
    expect(complained).toMatch(/The target holds something else than the source\. Its event number \d+ is/);
    expect([code, printed]).toEqual([1, '']);
    expect(await rowsOf(target)).toEqual(asRows(other));
  });

  it('refuses a target that has been written to since', async () => {
    const target = await logDatabase(log);
    const part = await logDatabase(log.slice(0, 500));
    const { code, complained } = await logCommand('copy', '--from', part.url, '--to', target.url);
    expect(complained).toContain('The target holds more than the source: its event number 501 is');
    expect(code).toBe(1);
  });
});

describe('log verify', () => {
  it.each(['postgres://me:secret@127.0.0.1:1/x', 'kurrentdb://me:secret@127.0.0.1:1?tls=false'])(
    'says what is wrong when it does not reach %s',
    async (url) => {
      const { code, complained } = await logCommand('verify', '--url', url);
      expect(complained).toMatch(
        /^\w+ at 127\.0\.0\.1:1 cannot be used: connection refused\.\n +Tried: .+\n +What to do: .+\n$/,
      );
      expect(complained).not.toContain('secret');
      expect(code).toBe(3);
    },
  );

  it('finds nothing in a sound log', async () => {
    const { url } = await logDatabase(log.slice(0, 500));
    const { code, printed } = await logCommand('verify', '--url', url);
    expect(printed).toMatch(/^500 events in \d+ streams were checked.* No stream is broken\.\n$/);
    expect(code).toBe(0);
  });

  it('names the first broken place of each broken stream, and fails', async () => {
    const { url, sql } = await logDatabase(log.slice(0, 2_000));
    const long = await sql<{ stream: string }[]>`
      select stream from log.events group by stream having count(*) > 20 order by stream collate "C" limit 6`;
    const [text, hash, gone, moved, named, beheaded] = long.map(({ stream }) => stream) as [string, ...string[]];
    const at = (stream: string | undefined, revision: number) =>
      sql`where stream = ${stream ?? ''} and revision = ${revision}`;
    await sql`update log.events set sealed = replace(sealed, '"schema":1', '"schema":9') ${at(text, 5)}`;
    await sql`update log.events set sealed = sealed || ' ' ${at(text, 9)}`;
    await sql`update log.events set hash = repeat('0', 64) ${at(hash, 6)}`;
    await sql`delete from log.events ${at(gone, 7)}`;
    await sql`update log.events set revision = revision + 1000 ${at(moved, 8)}`;
    const [{ id }] = (await sql`select id from log.events ${at(named, 9)}`) as unknown as [{ id: string }];
    await sql`update log.events set id = gen_random_uuid() ${at(named, 9)}`;
    await sql`delete from log.events ${at(beheaded, 0)}`;

    const { code, printed } = await logCommand('verify', '--url', url);
    const found = printed.split('\n').slice(0, -2).sort();
    const expected = [
      `${text} is broken at revision 5 (position 0): its text does not have its hash.`,
      `${hash} is broken at revision 6 (position 0): its text does not have its hash.`,
      `${gone} is broken at revision 8 (position 0): revision 7 is missing.`,
      `${moved} is broken at revision 1008 (position 0): revisions from 8 are missing.`,
      `${named} is broken at revision 9 (position 0): its text is of the event ${id}.`,
      `${beheaded} is broken at revision 1 (position 0): revision 0 is missing.`,
    ];
    expect(found.map((line) => line.replace(/position \d+/, 'position 0'))).toEqual(expected);
    expect(printed).toMatch(/6 streams are broken\.\n$/);
    expect(code).toBe(1);
  });
});
