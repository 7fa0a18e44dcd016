import { setTimeout as sleep } from 'node:timers/promises';
import postgres, { type Sql } from 'postgres';
import { Inserts } from '../inserts.js';
import { run } from '../load.js';
import { options } from '../options.js';
import { type Figures, mediansOf, quantile, type Section } from '../table.js';
import { Verbatim } from '../verbatim.js';

/** Enough in flight that a commit always has something to take along; nobody follows. */
const load = { rooms: 50, people: 1, posters: 1, inFlight: 20 } as const;

/** Microseconds that a slow disk adds to each commit. */
const SLOW = 5_000;

const alone = 'posts/s, beside rows inserted singly';
const several = 'posts/s, beside the same on 16 connections';
const batches = 'posts/s, beside rows inserted 100 at a time';
const databaseCpu = 'CPU us of the database per post, beside row of 100';

/** Posts acknowledged as durable, beside inserts of the same rows by the same PostgreSQL; then both with slow commits. */
export async function durablePosts(): Promise<Section[]> {
  const verbatim = await Verbatim.start();
  const rooms = await verbatim.gather({ ...load, follow: false });
  const sql = postgres(verbatim.databaseUrl, { max: 16, onnotice: () => undefined });
  await acknowledged(verbatim, rooms, 2);
  const inserts = await Inserts.prepare(sql);
  const fast = await compare(verbatim, rooms, inserts);
  await slowCommits(sql, inserts);
  const slow = await compare(verbatim, rooms, inserts);
  await sql.end();
  await verbatim.stop();
  return [fast, slow];
}

async function compare(verbatim: Verbatim, rooms: Rooms, inserts: Inserts): Promise<Section> {
  const commit = await inserts.commitTime();
  const figures: { verbatim: Figures[]; floor: Figures[] } = { verbatim: [], floor: [] };
  for (let round = 0; round < options.rounds; round++) {
    figures.verbatim.push(await acknowledged(verbatim, rooms, options.seconds));
    figures.floor.push(await inserted(verbatim, inserts, options.seconds / 6));
  }
  return {
    title: `durable posts: ${load.rooms} posters, ${load.inFlight} in flight each, no followers; a commit takes ${commit.toFixed(1)} ms`,
    floor: 'the same rows inserted into a table of the same form and indexes by the same PostgreSQL',
    rows: mediansOf(figures.verbatim, figures.floor),
  };
}

type Rooms = Awaited<ReturnType<Verbatim['gather']>>;

async function acknowledged(verbatim: Verbatim, rooms: Rooms, seconds: number): Promise<Figures> {
  await verbatim.settled();
  const before = verbatim.cpu();
  const { posts, seconds: took, latencies, all } = await run({ ...load, rooms, seconds, until: 'acknowledged' });
  await verbatim.settled();
  const after = verbatim.cpu();
  return {
    [alone]: posts / took,
    [several]: posts / took,
    [batches]: posts / took,
    'post to acknowledgement, p50 ms': quantile(latencies, 0.5),
    'post to acknowledgement, p99 ms': quantile(latencies, 0.99),
    'refused posts': all.refused,
    'CPU us of the service per post': (after.server - before.server) / all.posts,
    [databaseCpu]: (after.database - before.database) / all.posts,
  };
}

async function inserted(verbatim: Verbatim, inserts: Inserts, seconds: number): Promise<Figures> {
  const { rate: singly } = await inserts.repeat(1, 1, seconds);
  const { rate: fromSeveral } = await inserts.repeat(1, 16, seconds);
  const before = verbatim.cpu();
  const { rate: together, rows } = await inserts.repeat(100, 1, seconds);
  const cpu = verbatim.cpu().database - before.database;
  return { [alone]: singly, [several]: fromSeveral, [batches]: together, [databaseCpu]: cpu / rows };
}

/**
 * Makes every commit wait before the log is flushed. `commit_delay` does this when at least `commit_siblings` other
 * transactions are open, so with 0 siblings always. As on a slow disk, who commits meanwhile shares the next flush.
 */
async function slowCommits(sql: Sql, inserts: Inserts): Promise<void> {
  await sql`alter system set commit_siblings = 0`;
  await sql.unsafe(`alter system set commit_delay = ${SLOW}`);
  await sql`select pg_reload_conf()`;
  for (let waits = 0; (await inserts.commitTime()) < SLOW / 1_000; waits++) {
    if (waits === 20) throw new Error('Commits take no longer in spite of commit_delay.');
    await sleep(50);
  }
}
