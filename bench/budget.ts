import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { HeapProfiler, Profiler } from 'node:inspector';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import { startRelay } from './bare-relay.js';
import { floors } from './floors.js';
import type { Participant } from './load.js';
import { startDatabase } from './lone-database.js';
import { options } from './options.js';
import { bytesOf, COLLECTING, microsecondsOf, OTHER, partOfStatement, parts } from './parts.js';
import { endAll } from './processes.js';
import type { Reply, Request } from './profiling.js';
import { newFolder, Verbatim } from './verbatim.js';
import { measure, type Talk, talks } from './workloads/rooms.js';

/**
 * `npm run budget`: where the CPU, the memory and the database's time of a post go, by part, for the workloads a and c, as a
 * table in Markdown. What a post costs is measured first, without profiles; then profiles show how it is shared out.
 */
async function main(): Promise<void> {
  const least = floors();
  for (const letter of ['a', 'c'] as const) {
    if (options.only.length > 0 && !options.only.includes(letter)) continue;
    const spent = await spentOn(talks[letter]);
    console.log(`\n**${letter}: ${talks[letter].title}**\n\n${table(spent, least)}`);
  }
}

/** All for each post. Microseconds, bytes. */
interface Spent {
  readonly service: ReadonlyMap<string, number>;
  readonly bytes: ReadonlyMap<string, number>;
  readonly database: ReadonlyMap<string, number>;
  readonly walBytes: ReadonlyMap<string, number>;
  /** Of the relay under the same load. */
  readonly relayCpu: number;
}

async function spentOn(talk: Talk): Promise<Spent> {
  const folder = await newFolder();
  await watchStatements(folder);
  const profiling = new URL('profiling.js', import.meta.url).href;
  const verbatim = await Verbatim.start({ folder, nodeArguments: ['--import', profiling] });
  const relay = await startRelay(1);
  const sql = postgres(verbatim.databaseUrl, { max: 1 });
  try {
    await sql`create extension if not exists pg_stat_statements`;
    const atRelay = await relay.gather(talk);
    const rooms = await verbatim.gather(talk);
    await measure(talk, verbatim, rooms, 5);
    const { 'CPU us per post': relayCpu = Number.NaN } = await measure(talk, relay, atRelay, options.seconds);
    await sql`select pg_stat_statements_reset()`;
    const plain = await measured(talk, verbatim, rooms);
    const statements = await statementsOf(sql);
    const cpu = await profiled(verbatim, talk, rooms, 'cpu');
    const heap = await profiled(verbatim, talk, rooms, 'heap');
    return {
      service: scaledTo(plain.service, microsecondsOf(cpu.profile as Profiler.Profile)),
      bytes: perPost(bytesOf(heap.profile as HeapProfiler.SamplingHeapProfile), heap.posts),
      database: scaledTo(plain.database, statements.microseconds),
      walBytes: perPost(statements.walBytes, plain.posts),
      relayCpu,
    };
  } finally {
    await sql.end();
    await relay.stop();
    await verbatim.stop();
  }
}

/** Puts the load once; answers what a post cost, and how many there were. */
async function measured(talk: Talk, verbatim: Verbatim, rooms: readonly (readonly Participant[])[]) {
  const { server, database } = verbatim.cpu();
  const figures = await measure(talk, verbatim, rooms, options.seconds);
  const after = verbatim.cpu();
  const service = figures['  service'] ?? Number.NaN;
  return {
    service,
    database: figures['  database'] ?? Number.NaN,
    posts: (after.server - server) / service || (after.database - database) / (figures['  database'] ?? Number.NaN),
  };
}

async function profiled(
  verbatim: Verbatim,
  talk: Talk,
  rooms: readonly (readonly Participant[])[],
  kind: 'cpu' | 'heap',
): Promise<{ profile: Reply['profile']; posts: number }> {
  await ask(verbatim, kind);
  const { posts } = await measured(talk, verbatim, rooms);
  const { profile } = await ask(verbatim, `end ${kind}`);
  if (process.env.PROFILES) {
    const file = `${talk.rooms}x${talk.people}.${kind}profile`;
    await writeFile(join(process.env.PROFILES, file), JSON.stringify(profile));
  }
  return { profile, posts };
}

async function ask({ first }: Verbatim, request: Request): Promise<Reply> {
  first.node.child.send(request);
  for (;;) {
    const [reply] = (await once(first.node.child, 'message')) as [Reply];
    if (reply.to === request) return reply;
  }
}

// The database ------------------------------------------------------------------------------------------------------

/** Makes the PostgreSQL of a folder count its statements from its next start on. */
async function watchStatements(folder: string): Promise<void> {
  const database = await startDatabase(folder);
  const sql = postgres(database.url, { max: 1 });
  await sql`alter system set shared_preload_libraries = 'pg_stat_statements'`;
  await sql`alter system set pg_stat_statements.track_planning = on`;
  await sql.end();
  await database.stop();
}

async function statementsOf(sql: Sql) {
  const rows = await sql<{ query: string; micros: number; wal: number }[]>`
    select query, (total_plan_time + total_exec_time) * 1000 as micros, wal_bytes::float8 as wal from pg_stat_statements`;
  const microseconds = new Map<string, number>();
  const walBytes = new Map<string, number>();
  for (const { query, micros, wal } of rows) {
    const part = partOfStatement(query);
    microseconds.set(part, (microseconds.get(part) ?? 0) + micros);
    walBytes.set(part, (walBytes.get(part) ?? 0) + wal);
  }
  return { microseconds, walBytes };
}

/** Profiles and statements are timed by the clock, which includes waiting for a processor. Their shares are what counts. */
function scaledTo(total: number, sums: ReadonlyMap<string, number>): Map<string, number> {
  const all = [...sums.values()].reduce((sum, value) => sum + value, 0);
  return new Map([...sums].map(([part, sum]) => [part, (sum / all) * total]));
}

const perPost = (sums: ReadonlyMap<string, number>, posts: number): Map<string, number> =>
  new Map([...sums].map(([part, sum]) => [part, sum / posts]));

// The table -----------------------------------------------------------------------------------------------------------

function table(spent: Spent, least: ReadonlyMap<string, number>): string {
  const names = [...parts.map(({ name }) => name), COLLECTING, OTHER];
  const lines = names.map((name) =>
    line(name, [
      spent.service.get(name),
      least.get(name),
      spent.bytes.get(name),
      spent.database.get(name),
      spent.walBytes.get(name),
    ]),
  );
  const sum = (map: ReadonlyMap<string, number>) => [...map.values()].reduce((all, value) => all + value, 0);
  const sums = [sum(spent.service), undefined, sum(spent.bytes), sum(spent.database), sum(spent.walBytes)];
  return [
    '| part | service us | floor us | bytes allocated | database us | WAL bytes |',
    '|---|---|---|---|---|---|',
    ...lines,
    line('all', [sums[0], spent.relayCpu, ...sums.slice(2)]),
    '',
    'The floor of all of it is the relay under the same load.',
  ].join('\n');
}

const line = (name: string, cells: readonly (number | undefined)[]): string =>
  `| ${[name, ...Array.from({ length: 5 }, (_, i) => shown(cells[i]))].join(' | ')} |`;

const shown = (value: number | undefined): string =>
  value === undefined ? '' : value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 });

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void endAll().finally(() => process.exit(1)));
await main().finally(endAll);
