import { outageOf } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CuttingProxy } from '../../../../../libs/event-store/src/postgres/cutting-proxy.testing.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { connect } from './pool.js';

let url: string;
let proxy: CuttingProxy;
let sql: Sql;

beforeEach(async () => {
  url = await createDatabase();
  proxy = await CuttingProxy.open(url);
  sql = connect(proxy.url);
});
afterEach(async () => {
  await sql.end({ timeout: 0 });
  await proxy.close();
  await dropDatabase(url);
});

/** Enough concurrent queries to use every connection. */
const askAll = (): Promise<PromiseSettledResult<unknown>[]> =>
  Promise.allSettled(Array.from({ length: 40 }, (_, i) => sql`select ${i}::int as answer, pg_sleep(0.01)::text`));
const answers = (settled: PromiseSettledResult<unknown>[]) =>
  settled.map((one) => (one.status === 'fulfilled' ? [...(one.value as { answer: number }[])] : one.reason));
const right = Array.from({ length: 40 }, (_, i) => [{ answer: i, pg_sleep: '' }]);

describe('after a connection was lost', () => {
  it('in the middle of a response, other queries get their own results', async () => {
    for (let i = 0; i < 5; i++) {
      await askAll();
      proxy.cutNext('generate_series', 'within the answer');
      await expect(sql`select n from generate_series(1, 100) n`.simple()).rejects.toThrow('CONNECTION_CLOSED');
      expect(answers(await askAll())).toEqual(right);
    }
  });

  it('together with an error, no other query gets that error', async () => {
    await askAll();
    for (let i = 0; i < 5; i++) {
      await expect(sql`select pg_terminate_backend(pg_backend_pid())`).rejects.toThrow();
      expect(answers(await askAll())).toEqual(right);
    }
  });

  it('at any moment, every query settles soon, and later ones succeed', async () => {
    let longest = 0;
    for (let i = 0; i < 12; i++) {
      const asked = performance.now();
      const first = askAll();
      await new Promise((resolve) => setTimeout(resolve, i));
      proxy.cutAll();
      await Promise.all([first, askAll()]);
      longest = Math.max(longest, performance.now() - asked);
    }
    expect(answers(await askAll())).toEqual(right);
    expect(longest).toBeLessThan(3_000);
  });
});

it.each(['hangs up', 'resets'] as const)('rejects waiting queries when the server only %s', async (how) => {
  await askAll();
  proxy.refuse(how, 5_000);
  const asked = performance.now();
  await expect(sql`select 1`).rejects.toThrow();
  for (const answer of answers(await askAll())) expect(outageOf(answer)?.kind).toBe('away');
  expect(performance.now() - asked).toBeLessThan(4_900);
  await vi.waitFor(async () => expect(answers(await askAll())).toEqual(right), 20_000);
});

it('ends for all its users at once', async () => {
  await askAll();
  await sql.end();
  await expect(sql`select 1`).rejects.toThrow('CONNECTION_ENDED');
});
