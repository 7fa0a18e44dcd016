import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { callList, clientEvents } from '@verbatim/protocol';
import fc from 'fast-check';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rowsKept } from '../harness/rows-kept.testing.js';
import type { TestSocket } from '../harness/test-client.testing.js';
import { badHandshakes, badRequestBytes, badSocketBytes } from './bad-bytes.testing.js';
import { type BadFrame, badFrames, noFrames, randomFrame } from './bad-frames.testing.js';
import {
  type BadRequest,
  badCursors,
  badRequests,
  type Cursors,
  collectCursors,
  listCalls,
  randomRequest,
} from './bad-requests.testing.js';
import { Chance, seedOfThisRun } from './bad-values.testing.js';
import { bytesOf, exchange } from './raw-http.testing.js';
import { RawSocket } from './raw-socket.testing.js';
import { foundTown, type Town } from './town.testing.js';
import { flawsOfAnswer, flawsOfFrame, flawsOfHandshake, flawsOfRefusal } from './verdict.testing.js';

/**
 * Bad input of every kind, made from the table of calls and the table of frames: whatever is added there is covered here.
 * BAD_INPUT_SEED repeats a run.
 */
describe('bad input', () => {
  const seed = seedOfThisRun();
  let town: Town;
  let cursors: Cursors;
  let sql: Sql;
  let kept: Record<string, number>;
  let memory: number;
  let cases = 0;

  beforeAll(async () => {
    town = await foundTown();
    cursors = await collectCursors(town);
    sql = postgres(town.service.databaseUrl, { max: 1 });
    kept = await rowsKept(sql);
    memory = memoryUsed();
  });
  afterAll(async () => {
    console.log(`${cases} cases of bad input, BAD_INPUT_SEED=${seed}`);
    await sql.end();
    await town.service.stop();
  });

  /** Tries every case in turn. Answers what was wrong, each with the case; whatever a case does, nothing may be stored. */
  async function flawsOf<C extends { readonly what: string }>(
    tried: readonly C[],
    flawsOfOne: (one: C) => Promise<string[]>,
  ): Promise<string[]> {
    const flaws: string[] = [];
    let before = await head();
    for (const one of tried) {
      const found = await flawsOfOne(one);
      const after = await head();
      if (after !== before) found.push('something was stored');
      before = after;
      flaws.push(...found.map((flaw) => `${one.what}: ${flaw}`));
    }
    cases += tried.length;
    return flaws;
  }

  describe('of requests', () => {
    const send = async (bad: BadRequest) => flawsOfAnswer(bad, await exchange(town.service.url, bytesOf(bad.request)));

    it.each(callList)('%s refuses them', async (_name, call) => {
      expect(await flawsOf(badRequests(call, town, new Chance(seed)), send)).toEqual([]);
    });

    it.each(listCalls)('%s takes no cursor but its own', async (name, call) => {
      expect(await flawsOf(badCursors(name, call, town, cursors), send)).toEqual([]);
    });

    it('refuses random bodies', async () => {
      const withBody = callList.filter(([, { body }]) => body);
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...withBody), fc.json(), async ([, call], body) => {
          const bad = randomRequest(call, town, body);
          expect(await flawsOf(bad ? [bad] : [], send)).toEqual([]);
        }),
        { seed, numRuns: 300 },
      );
    });

    it('refuses bytes that are hardly HTTP', async () => {
      const tried = flawsOf(badRequestBytes(town, new Chance(seed)), async (bad) =>
        flawsOfRefusal(bad, await exchange(town.service.url, bad.bytes, bad.fate === 'answers' ? 5_000 : 200)),
      );
      expect(await tried).toEqual([]);
    });
  });

  describe('of frames', () => {
    let socket: TestSocket;
    beforeAll(async () => {
      socket = await town.owner.connect();
    });
    afterAll(() => socket.close());

    const send = async (bad: BadFrame) => {
      socket.socket.send(bad.bytes, { binary: bad.binary ?? false });
      const flaws = flawsOfFrame(bad, await socket.until(() => true));
      socket.send('ping');
      const { event } = await socket.until(() => true);
      return event === 'pong' ? flaws : [...flaws, `then came ${event}, not pong`];
    };

    it.each(clientEvents)('%s refuses them and stays open', async (event) => {
      expect(await flawsOf(badFrames(event, town, new Chance(seed)), send)).toEqual([]);
    });

    it('refuses what is not a frame and stays open', async () => {
      expect(await flawsOf(noFrames(town, new Chance(seed)), send)).toEqual([]);
    });

    it('refuses random data and stays open', async () => {
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...clientEvents), fc.json(), async (event, data) => {
          const bad = randomFrame(event, data);
          expect(await flawsOf(bad ? [bad] : [], send)).toEqual([]);
        }),
        { seed, numRuns: 300 },
      );
    });

    it('ends the connection that breaks the protocol, and no other', async () => {
      const tried = flawsOf(badSocketBytes(town, new Chance(seed)), async ({ bytes, fate }) => {
        const raw = await RawSocket.open(town.service.url, town.owner.accessToken);
        raw.write(bytes);
        const became =
          fate === 'stays open' ? await raw.answersPing() : fate === 'anything' ? fate : await raw.closeCode();
        raw.end();
        return became === fate ? [] : [`${became}, not ${fate}`];
      });
      expect(await tried).toEqual([]);
      socket.send('ping');
      expect((await socket.until(() => true)).event).toBe('pong');
    });

    it('opens no socket to those who do not ask properly', async () => {
      const tried = flawsOf(badHandshakes(town), async ({ bytes }) =>
        flawsOfHandshake(await exchange(town.service.url, bytes, 5_000)),
      );
      expect(await tried).toEqual([]);
    });
  });

  it('leaves the service as it was', async () => {
    const ready = await exchange(town.service.url, bytesOf({ method: 'GET', target: '/health/ready' }));
    expect(ready.answer?.status).toBe(200);
    expect(await rowsKept(sql)).toEqual(kept);
    expect(memoryUsed() - memory).toBeLessThan(64 * 2 ** 20);
    expect(cases).toBeGreaterThan(1_000);
  });

  /** The position of the newest event of the whole service. */
  async function head(): Promise<unknown> {
    const [row] = await sql`select max(position) as position from log.events`;
    return row?.position;
  }
});

/** Bytes that this process, in which the service runs, cannot let go of. */
function memoryUsed(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}
