import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { roomStream } from '@verbatim/domain';
import { openEventStore } from '@verbatim/event-store';
import { verifyBundle } from '@verbatim/transparency';
import { expect, it } from 'vitest';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { keysOf, requested } from '../../tests/harness/exports.testing.js';
import { writeRoomOfOld } from '../../tests/harness/room-of-old.testing.js';
import { type ServiceProcess, startProcess } from '../../tests/harness/service-process.testing.js';
import { signIn } from '../../tests/harness/test-client.testing.js';

/** `EXPORT_EVENTS` gives another number. */
const MESSAGES = Number(process.env.EXPORT_EVENTS ?? 1_000_000);
const HOUR = 3_600_000;
/** MiB by which memory may grow from the first half of the export to the second. */
const FLAT_MIB = 100;

it(
  'of a room with a million events takes no more memory at its end than at its beginning',
  async () => {
    const databaseUrl = await createDatabase();
    const folder = await mkdtemp(join(tmpdir(), 'verbatim-big-'));
    const environment = { DATABASE_URL: databaseUrl, VERBATIM_DATA: folder };
    let service: ServiceProcess = await startProcess(environment);
    try {
      const room = randomUUID();
      const { id: owner } = await signIn(service.url);
      await service.end('SIGTERM');
      await writeRoomOfOld(databaseUrl, folder, { id: room, owner, messages: MESSAGES });
      service = await startProcess(environment);
      const admin = await signIn(service.url);
      await caughtUp(service.url, MESSAGES);
      const begun = performance.now();
      const id = await requested(admin, { room });
      const memory: { done: number; mib: number }[] = [];
      for (let status = ''; status !== 'done'; ) {
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        const { body } = await admin.get(`/v1/exports/${id}`);
        status = body.status;
        expect(status, body.problem).not.toBe('failed');
        memory.push({ done: body.progress.done, mib: await residentMib(service.url) });
      }
      const seconds = (performance.now() - begun) / 1_000;
      const most = (of: typeof memory) => Math.max(...of.map(({ mib }) => mib));
      const [early, late] = [
        memory.filter(({ done }) => done > MESSAGES * 0.1 && done <= MESSAGES / 2),
        memory.filter(({ done }) => done > MESSAGES / 2),
      ];
      const raw = await rawSeconds(databaseUrl, room);
      const answer = await fetch(`${service.url}/v1/exports/${id}/bundle`, {
        headers: { authorization: `Bearer ${admin.accessToken}` },
      });
      const report = await verifyBundle(answer.body as unknown as AsyncIterable<Uint8Array>, {
        keys: await keysOf(service.url),
        witnesses: [],
      });
      const rate = (events: number, of: number) => `${Math.round(events / of).toLocaleString('en')} events/s`;
      console.log(
        `${MESSAGES} messages: ${rate(MESSAGES, seconds)} exported, ${rate(MESSAGES, raw)} read raw; ` +
          `at most ${most(early)} MiB in the first half, ${most(late)} MiB in the second; bundle of ${answer.headers.get('content-length')} bytes`,
      );
      expect(report.list).toEqual([]);
      expect(report.events).toBe(MESSAGES + 2);
      expect(most(late) - most(early)).toBeLessThan(FLAT_MIB);
    } finally {
      await service.end('SIGTERM');
      await dropDatabase(databaseUrl);
      await rm(folder, { recursive: true, force: true });
    }
  },
  2 * HOUR,
);

/** When all is signed and projected: what is measured is the export, not what a start has to catch up with. */
async function caughtUp(url: string, events: number): Promise<void> {
  const lag = async () => (await figure(url, 'verbatim_projection_lag')) + (await figure(url, 'verbatim_search_lag'));
  for (const deadline = Date.now() + HOUR; (await figure(url, 'verbatim_log_size')) < events || (await lag()) > 0; ) {
    if (Date.now() > deadline) throw new Error('The log was not signed, or the read models are behind.');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

const residentMib = async (url: string): Promise<number> =>
  Math.round((await figure(url, 'process_resident_memory_bytes')) / 1_048_576);

async function figure(url: string, name: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1] ?? 0);
}

/** Seconds for reading the same rows, page by page, without doing anything with them. */
async function rawSeconds(databaseUrl: string, room: string): Promise<number> {
  const store = await openEventStore({ url: databaseUrl, directUrl: databaseUrl });
  try {
    const begun = performance.now();
    for (let from = 0n; ; ) {
      const last = (await store.read(roomStream(room), from, 500, 1_048_576)).at(-1);
      if (!last) return (performance.now() - begun) / 1_000;
      from = last.revision + 1n;
    }
  } finally {
    await store.close();
  }
}
