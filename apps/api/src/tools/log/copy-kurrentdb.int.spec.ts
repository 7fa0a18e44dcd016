import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventsOf, openEventStore, type StoredEvent } from '@verbatim/event-store';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generatedLog } from '../../../../../libs/event-store/src/generated-log.testing.js';
import { StandIn } from '../../../../../libs/event-store/src/kurrentdb/stand-in.testing.js';
import { readConfig } from '../../config.js';
import { readOptions } from '../import/import-command.js';
import { importIrc } from '../import/import-irc.js';
import { openTools } from '../tools.js';
import { logCommand, startLogCommand } from './cli-process.testing.js';
import { asRows, dropLogDatabases, Gate, type LogDatabase, logDatabase, rowsOf } from './log-database.testing.js';

const long = process.env.LONG === '1';
/** Events of the log that is copied, those of real days and generated ones together. */
const EVENTS = long ? 50_000 : 3_000;
const DAYS = long ? ['2005-09-26', '2013-05-05'] : ['2005-09-26'];

describe(`a log of ${EVENTS} real and generated events, copied from PostgreSQL to KurrentDB and back`, () => {
  let log: StoredEvent[];
  let source: LogDatabase;
  let standIn: StandIn;

  beforeAll(async () => {
    standIn = await StandIn.start();
    log = mixed(await realEvents(), (count) => generatedLog({ events: count, rooms: 80 }));
    source = await logDatabase(log);
  }, 300_000);
  afterAll(async () => {
    standIn.stop();
    await dropLogDatabases();
  });

  it('is in KurrentDB what it was, though the copy was killed', async () => {
    const there = () => ['copy', '--from', source.url, '--to', standIn.url];
    for (const part of long ? [0.2, 0.4, 0.6] : [0.5]) {
      const { child, ended } = startLogCommand(there());
      await standInHas(Math.floor(EVENTS * part));
      child.kill('SIGKILL');
      expect((await ended).code).toBeNull();
    }
    const last = startLogCommand(there());
    await standInHas(Math.floor(EVENTS * 0.8));
    if (long) standIn.failNextAppend('answer lost');
    const { code, printed } = await last.ended;
    expect(printed).toContain('No stream is broken.');
    expect(code).toBe(0);

    const store = await openEventStore({ url: standIn.url });
    let place = 0;
    let before = -1n;
    for await (const { position, ...event } of eventsOf(store)) {
      const { position: _, ...original } = log[place++] as StoredEvent;
      expect(event).toEqual(original);
      expect(position).toBeGreaterThan(before);
      before = position;
    }
    expect(place).toBe(EVENTS);
    await store.close();
  }, 600_000);

  it('comes back byte for byte, though the copy was killed', async () => {
    const target = await logDatabase(log.slice(0, 1));
    const back = ['copy', '--from', standIn.url, '--to', target.url];
    const gate = await Gate.at(EVENTS / 2, target);
    const killed = startLogCommand(back);
    await gate.waiting();
    killed.child.kill('SIGKILL');
    expect((await killed.ended).code).toBeNull();
    await gate.openForNobody();

    const { code, printed } = await logCommand(...back);
    expect(printed).toContain('No stream is broken.');
    expect(code).toBe(0);
    expect(await rowsOf(target)).toEqual(asRows(log));
    expect(await rowsOf(target)).toEqual(await rowsOf(source));
  }, 600_000);

  it('is found to be sound in either', async () => {
    for (const { url } of [source, standIn]) {
      const { code, printed } = await logCommand('verify', '--url', url);
      expect(printed).toMatch(new RegExp(`^${EVENTS.toLocaleString('en')} events in .* No stream is broken`));
      expect(code).toBe(0);
    }
  }, 120_000);

  /** Resolves at the very append that brings the stand-in this far. */
  function standInHas(events: number): Promise<void> {
    return new Promise((resolve) => {
      let count = 0;
      const deaf = standIn.log.listen(({ stream }) => {
        if (!stream.startsWith('$')) count++;
        if (count + before < events) return;
        deaf();
        resolve();
      });
      const before = standIn.log.readAll(
        'start',
        true,
        Number.MAX_SAFE_INTEGER,
        ({ stream }) => !stream.startsWith('$'),
      )?.length as number;
    });
  }
});

/** Days of a real channel, imported as the command line does it. */
async function realEvents(): Promise<StoredEvent[]> {
  const { url } = await logDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'verbatim-copy-'));
  const tools = await openTools({
    config: readConfig({ VERBATIM_DATA: folder, LOG_LEVEL: 'error' }),
    database: { url, directUrl: url, lost: new Promise(() => undefined), stop: async () => undefined },
    log: pino({ level: 'error' }),
  });
  const days = DAYS.map((day) => fileURLToPath(new URL(`../import/test-data/${day}.txt`, import.meta.url)));
  await importIrc(tools, await readOptions([...days, '--room', '#ubuntu']), () => undefined);
  const events: StoredEvent[] = [];
  for await (const event of eventsOf(tools.store)) events.push(event);
  await tools.close();
  await rm(folder, { recursive: true, force: true });
  return events;
}

/** One log of both, in which the real events are spread evenly. */
function mixed(real: readonly StoredEvent[], generate: (count: number) => readonly StoredEvent[]): StoredEvent[] {
  const generated = generate(EVENTS - real.length);
  const log: StoredEvent[] = [];
  let taken = 0;
  for (const [i, event] of generated.entries()) {
    for (; taken < (real.length * (i + 1)) / generated.length; taken++) log.push(real[taken] as StoredEvent);
    log.push(event);
  }
  return log.map((event, i) => ({ ...event, position: BigInt(i) }));
}
