import { callList, clientEvents } from '@verbatim/protocol';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestSocket } from '../testing/test-client.testing.js';
import { type BadFrame, badFrames, noFrames } from './bad-frames.testing.js';
import {
  type BadRequest,
  badCursors,
  badRequests,
  type Cursors,
  collectCursors,
  listCalls,
} from './bad-requests.testing.js';
import { Chance, seedOfThisRun } from './bad-values.testing.js';
import { bytesOf, exchange } from './raw-http.testing.js';
import { foundTown, type Town } from './town.testing.js';
import { flawsOfAnswer, flawsOfFrame } from './verdict.testing.js';

/**
 * Bad input of every kind, made from the table of calls and the table of frames: whatever is added there is covered here.
 * BAD_INPUT_SEED repeats a run.
 */
describe('bad input', () => {
  const chance = new Chance(seedOfThisRun());
  let town: Town;
  let cursors: Cursors;
  let sql: Sql;
  let cases = 0;

  beforeAll(async () => {
    town = await foundTown();
    cursors = await collectCursors(town);
    sql = postgres(town.service.databaseUrl, { max: 1 });
  });
  afterAll(async () => {
    console.log(`${cases} cases of bad input, BAD_INPUT_SEED=${chance.seed}`);
    await sql.end();
    await town.service.stop();
  });

  /** The position of the newest event of the whole service. */
  async function head(): Promise<unknown> {
    const [row] = await sql`select max(position) as position from log.events`;
    return row?.position;
  }

  describe('of requests', () => {
    /** What was wrong with the answers, each with the request it answered. */
    async function flawsOf(requests: readonly BadRequest[]): Promise<string[]> {
      const flaws: string[] = [];
      let before = await head();
      for (const bad of requests) {
        const came = await exchange(town.service.url, bytesOf(bad.request));
        const found = flawsOfAnswer(bad, came);
        const after = await head();
        if (after !== before) found.push('something was stored');
        before = after;
        flaws.push(...found.map((flaw) => `${bad.what}: ${flaw}`));
      }
      cases += requests.length;
      return flaws;
    }

    it.each(callList)('%s refuses them and stores nothing', async (_name, call) => {
      expect(await flawsOf(badRequests(call, town, chance))).toEqual([]);
    });

    it.each(listCalls)('%s takes no cursor but its own', async (name, call) => {
      expect(await flawsOf(badCursors(name, call, town, cursors))).toEqual([]);
    });
  });

  describe('of frames', () => {
    let socket: TestSocket;
    beforeAll(async () => {
      socket = await town.owner.connect();
    });
    afterAll(() => socket.close());

    async function flawsOf(frames: readonly BadFrame[]): Promise<string[]> {
      const flaws: string[] = [];
      let before = await head();
      for (const bad of frames) {
        socket.socket.send(bad.bytes, { binary: bad.binary ?? false });
        const found = flawsOfFrame(bad, await socket.until(() => true));
        socket.send('ping');
        const { event } = await socket.until(() => true);
        if (event !== 'pong') found.push(`then came ${event} instead of pong`);
        const after = await head();
        if (after !== before) found.push('something was stored');
        before = after;
        flaws.push(...found.map((flaw) => `${bad.what}: ${flaw}`));
      }
      cases += frames.length;
      return flaws;
    }

    it.each(clientEvents)('%s refuses them, stores nothing and goes on', async (event) => {
      expect(await flawsOf(badFrames(event, town, chance))).toEqual([]);
    });

    it('that are none are refused likewise', async () => {
      expect(await flawsOf(noFrames(town, chance))).toEqual([]);
    });
  });
});
