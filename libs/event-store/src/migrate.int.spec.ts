import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { migrate } from './migrate.js';
import { createTestDatabase, type TestDatabase } from './postgres/test-database.testing.js';

let database: TestDatabase;
let sql: postgres.Sql;

beforeAll(async () => {
  database = await createTestDatabase();
  sql = postgres(database.url, { max: 2, onnotice: () => {} });
});
beforeEach(async () => {
  await sql`drop schema if exists shop cascade`;
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});

/** Steps that fail or count twice if they run twice. */
const tables = `create table shop.visits (n int); insert into shop.visits values (1)`;
const another = 'insert into shop.visits values (2)';
const visits = async () => (await sql<{ n: number }[]>`select n from shop.visits order by n`).map(({ n }) => n);

it('runs each step once, in order', async () => {
  await migrate(sql, 'shop', 'visits', [tables, another]);
  await migrate(sql, 'shop', 'visits', [tables, another]);
  expect(await visits()).toEqual([1, 2]);
});

it('runs the steps that a later release adds', async () => {
  await migrate(sql, 'shop', 'visits', [tables]);
  expect(await visits()).toEqual([1]);
  await migrate(sql, 'shop', 'visits', [tables, another]);
  expect(await visits()).toEqual([1, 2]);
});

it('leaves alone what a later release has done', async () => {
  await migrate(sql, 'shop', 'visits', [tables, another]);
  await migrate(sql, 'shop', 'visits', [tables]);
  expect(await visits()).toEqual([1, 2]);
});

it('runs each step once when several processes start at the same time', async () => {
  const processes = Array.from({ length: 6 }, () => postgres(database.url, { max: 1, onnotice: () => {} }));
  await Promise.all(processes.map((process) => migrate(process, 'shop', 'visits', [tables, another])));
  for (const process of processes) await process.end();
  expect(await visits()).toEqual([1, 2]);
});

it('runs steps that are more than statements, each once and together with the others', async () => {
  const tenfold = async (tx: postgres.TransactionSql) => {
    for (const n of await visits()) throw new Error(`${n} is seen from outside.`);
    await tx`update shop.visits set n = n * 10`;
  };
  await migrate(sql, 'shop', 'visits', [
    tables,
    (tx) => tx`update shop.visits set n = n * 10`.then(() => undefined),
    another,
  ]);
  await expect(migrate(sql, 'shop', 'visits', [tables, another, another, tenfold])).rejects.toThrow();
  expect(await visits()).toEqual([2, 10]);
});

it('keeps the components of a schema apart', async () => {
  await migrate(sql, 'shop', 'visits', [tables]);
  await migrate(sql, 'shop', 'orders', ['create table shop.orders (id int)']);
  await migrate(sql, 'shop', 'visits', [tables, another]);
  expect(await visits()).toEqual([1, 2]);
  expect(await sql`select * from shop.orders`).toEqual([]);
});

it('does all steps or none', async () => {
  await expect(migrate(sql, 'shop', 'visits', [tables, 'no such statement'])).rejects.toThrow(/syntax error/);
  expect(await sql`select 1 from information_schema.schemata where schema_name = 'shop'`).toHaveLength(0);
  await migrate(sql, 'shop', 'visits', [tables, another]);
  expect(await visits()).toEqual([1, 2]);
});
