import { afterAll, beforeAll, expect, it } from 'vitest';
import { percentile, startTarget, type Target, watch } from './read-attack.testing.js';

/** Seconds of the attack, and of the time before it with which it is compared. */
const SECONDS = { before: 15, attack: 60 };
/** How many times as long the slowest of a hundred posts may take. */
const FACTOR = 3;
/** Milliseconds that a busy machine of two processors makes some posts wait, whatever the service does. */
const NOISE = 50;
/** Milliseconds within which the service must answer that it is alive. */
const ALIVE = 1_000;

let target: Target;
beforeAll(async () => {
  target = await startTarget();
}, 120_000);
afterAll(() => target.end());

it('the worst that one account may read for a minute leaves others their latency', async () => {
  const { attacker, room } = target;
  const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
  const alone = await watch(target, () => sleep(SECONDS.before * 1_000));
  const attacked = await watch(target, async () => {
    const end = performance.now() + SECONDS.attack * 1_000;
    const repeat = async (work: () => Promise<unknown>) => {
      while (performance.now() < end) await work();
    };
    const read = async (path: string) => {
      const { status } = await attacker.get(path);
      if (status !== 200) await sleep(250);
    };
    const paths = [
      `rooms/${room}/events?limit=200`,
      `rooms/${room}/messages?limit=200`,
      'inbox?limit=200',
      'search?q=x',
    ];
    const readers = Array.from({ length: 20 }, (_, i) => repeat(() => read(`/v1/${paths[i % paths.length]}`)));
    const followers = Array.from({ length: 10 }, () =>
      repeat(async () => {
        const socket = await attacker.follow(room, -1).catch(() => null);
        await sleep(1_000);
        socket?.close();
      }),
    );
    await Promise.all([...readers, ...followers]);
  });
  const [usual, under] = [percentile(alone.posts, 99), percentile(attacked.posts, 99)];
  console.log(
    `a post: p50 ${percentile(alone.posts, 50).toFixed(0)} -> ${percentile(attacked.posts, 50).toFixed(0)} ms, ` +
      `p99 ${usual.toFixed(0)} -> ${under.toFixed(0)} ms; health at most ${attacked.probes.at(-1)?.toFixed(0)} ms; ` +
      `memory at most ${attacked.maxMiB.toFixed(0)} MiB`,
  );
  expect(under).toBeLessThan(usual * FACTOR + NOISE);
  expect(attacked.probes.at(-1)).toBeLessThan(ALIVE);
  expect(attacked.maxMiB).toBeLessThan(512);
}, 300_000);
