import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { liveLimits } from '../../live/live-rooms.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { type ServiceProcess, startProcess } from '../../tests/harness/service-process.testing.js';
import { register, type TestPerson, type TestSocket, Visitor } from '../../tests/harness/test-client.testing.js';
import { connectionLimits } from './connection.js';

/** Clients that do not read; each may cost a full send buffer. */
const SLOW = 3;
/** Posts of 32 KB: far more than all buffers on the way to a client hold. */
const POSTS = 1_000;
/** Posts under way at a time. */
const AT_ONCE = 4;

let databaseUrl: string;
let folder: string;
let service: ServiceProcess;
let ada: TestPerson;
let bob: TestPerson;

beforeAll(async () => {
  databaseUrl = await createDatabase();
  folder = await mkdtemp(join(tmpdir(), 'verbatim-pressure-'));
  service = await startProcess({ DATABASE_URL: databaseUrl, VERBATIM_DATA: folder });
  [ada, bob] = [await register(service.url), await register(service.url)];
});
afterAll(async () => {
  await service.end('SIGKILL');
  await dropDatabase(databaseUrl);
  await rm(folder, { recursive: true, force: true });
});

describe('slow readers of a room', () => {
  it('are closed with 4008, cost no more than their buffers, and hold up nobody else', async () => {
    const room = await ada.roomWith([bob]);
    const [poster, reader] = [await ada.connect(), await bob.follow(room)];
    const slow = await Promise.all(Array.from({ length: SLOW }, () => bob.follow(room)));
    for (const { socket } of slow) socket.pause();
    const before = await bufferBytes();
    const most = highest(bufferBytes);
    // Everything is heard while the others read nothing.
    await postAndHear(poster, reader, room);
    const grown = (await most.stop()) - before;
    // Clients share the bytes of most frames. Without a limit that would be at least the 32 MB that were posted.
    // The margin is for garbage that has not been collected yet.
    expect(grown).toBeLessThan(SLOW * connectionLimits.waitingBytes + 12_582_912);
    for (const { socket } of slow) socket.resume();
    expect(await Promise.all(slow.map(({ closed }) => closed))).toEqual(slow.map(() => 4008));
    poster.close();
    reader.close();
  }, 120_000);

  /** Posts a few messages at a time, the next ones when the reader has heard the last. */
  async function postAndHear(poster: TestSocket, reader: TestSocket, room: string): Promise<void> {
    for (let posted = 0; posted < POSTS; posted += AT_ONCE) {
      const posts = Array.from({ length: AT_ONCE }, () => poster.ask('post', { room, text: '👋'.repeat(8_000) }));
      const last = Math.max(...(await Promise.all(posts)).map(({ data }) => data.revision));
      await reader.when(() => reader.frames.at(-1)?.data.events?.at(-1)?.revision === last);
    }
  }

  /** Bytes that the service holds outside of JavaScript's heap, buffers on their way to sockets among them. */
  async function bufferBytes(): Promise<number> {
    const { text } = await new Visitor(service.url).get('/metrics');
    return Number(/^nodejs_external_memory_bytes (\d+)$/m.exec(text)?.[1]);
  }

  /** Looks again and again until stopped, which answers the highest that was seen. */
  function highest(look: () => Promise<number>): { stop(): Promise<number> } {
    let going = true;
    const looking = (async () => {
      let most = 0;
      while (going) most = Math.max(most, await look());
      return most;
    })();
    return {
      stop() {
        going = false;
        return looking;
      },
    };
  }
});

describe('rooms that a client follows', () => {
  it('are so many at most, and others in place of those it follows no more', async () => {
    const rooms: string[] = [];
    while (rooms.length <= liveLimits.rooms)
      rooms.push(...(await Promise.all(Array.from({ length: 11 }, () => ada.room()))));
    const socket = await ada.connect();
    const follow = (room: string) => socket.ask('follow', { room });
    const answers = await Promise.all(rooms.slice(0, liveLimits.rooms).map(follow));
    expect(new Set(answers.map(({ event }) => event))).toEqual(new Set(['following']));
    const last = rooms.at(-1) as string;
    expect(await socket.refused('follow', { room: last })).toBe('invalid_request');
    await socket.ask('unfollow', { room: rooms[0] });
    expect((await follow(last)).event).toBe('following');
    socket.close();
  }, 120_000);
});

describe('frames that a client sends all at once', () => {
  it('are begun as many at a time as are allowed, so that no mailbox overflows, and answered in order', async () => {
    const room = await ada.roomWith([bob]);
    const sockets = [await ada.connect(), await ada.connect(), await bob.connect()];
    const refs = sockets.map((socket) =>
      Array.from({ length: 750 }, (_, i) => socket.send('post', { room, text: `${i}` })),
    );
    for (const [s, socket] of sockets.entries()) {
      const own = new Set(refs[s]);
      const answers = await socket.when(() => {
        const answered = socket.frames.filter(({ ref }) => ref !== undefined && own.has(ref));
        return answered.length === own.size && answered;
      }, 30_000);
      expect(new Set(answers.map(({ event }) => event))).toEqual(new Set(['ack']));
      expect(answers.map(({ ref }) => ref)).toEqual(refs[s]);
      const revisions = answers.map(({ data }) => data.revision);
      expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
      socket.close();
    }
  }, 60_000);
});
