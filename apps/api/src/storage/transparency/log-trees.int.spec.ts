import { TreeBuilder } from '@verbatim/transparency';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { type Growth, type LogTree, LogTrees } from './log-trees.js';
import { migrateTransparency } from './schema.js';

let url: string;
let sql: Sql;
let trees: LogTrees;
const builder = new TreeBuilder();

beforeAll(async () => {
  url = await createDatabase();
  sql = postgres(url, { max: 3, onnotice: () => undefined });
  await sql`create schema vault`;
  await migrateTransparency(sql);
  trees = new LogTrees(sql);
  await trees.begin(1, 'chat.example/log');
});
afterAll(async () => {
  await sql.end();
  await dropDatabase(url);
});

const newest = async (): Promise<LogTree> => (await trees.newest()) as LogTree;

function growth(events: number): Growth {
  builder.append(Array.from({ length: events }, (_, i) => Buffer.alloc(32, i)));
  const size = builder.size;
  return { size, root: builder.root(), last: { position: BigInt(size - 1), hash: 'h' }, tiles: builder.takeTiles() };
}

it('each size of a tree is stored once, by the first writer', async () => {
  const empty = await newest();
  const first = growth(3);
  expect(await trees.grow(empty, first)).toBe(true);
  expect(await trees.grow(empty, { ...first, root: Buffer.alloc(32) })).toBe(false);
  expect((await trees.newestCheckpoint(1))?.root.equals(first.root)).toBe(true);
  expect(await newest()).toMatchObject({ size: 3, last: { position: 2n } });
});

it('a tree stops growing once another one has begun', async () => {
  const old = await newest();
  await trees.begin(2, 'chat.example/log/2');
  expect(await trees.grow(old, growth(1))).toBe(false);
  await sql`delete from desk.log_trees where number = 2`;
});

it('old checkpoints are thinned out to one per hour; the newest and the published one stay', async () => {
  for (let i = 0; i < 6; i++) {
    const { size, root } = growth(1);
    await sql`
      insert into desk.log_checkpoints (tree, size, root, note, begun_at)
      values (1, ${size}, ${root}, 'note', date_trunc('hour', now()) - interval '3 days' + make_interval(mins => ${i * 20}))`;
  }
  const sizes = async () => (await trees.checkpoints(1)).map(({ size }) => size);
  const [, , second, , hour, , , last] = await sizes().then((all) => [0, ...all]);
  await sql`update desk.log_trees set size = ${last ?? 0}, published = ${second ?? 0}`;
  await trees.cosign(1, second ?? 0, { key: 'k', signature: Buffer.alloc(72), time: 1 });
  await trees.cosign(1, last ?? 0, { key: 'k', signature: Buffer.alloc(72), time: 2 });
  await trees.sweep();
  expect(await sizes()).toEqual([3, second, hour, last]);
  expect(await trees.cosigned(1, ['k'])).toEqual(new Map([['k', { size: last, time: 2 }]]));
});
