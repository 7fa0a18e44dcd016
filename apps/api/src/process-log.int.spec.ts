import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processLog } from './process-log.js';
import { createDatabase, dropDatabase } from './tests/harness/database.testing.js';

const secret = 'Šárka 🜚 sarka@example.org';

let url: string;
let sql: Sql;
beforeAll(async () => {
  url = await createDatabase();
  sql = postgres(url, { max: 1, onnotice: () => undefined });
  await sql`create table people (name text primary key check (length(name) < 40), age int not null)`;
  await sql`insert into people values (${secret}, 1)`;
});
afterAll(async () => {
  await sql.end();
  await dropDatabase(url);
});

function logged(err: unknown) {
  let text = '';
  processLog('info', { write: (line) => (text += line) }).error({ err }, 'a request failed');
  return { text, err: JSON.parse(text).err };
}

const failing = (work: () => unknown): Promise<unknown> =>
  Promise.resolve()
    .then(work)
    .then(() => Promise.reject(new Error('it did not fail')))
    .catch((error) => error);

describe('what an error quotes is not logged, when', () => {
  it.each<[string, () => unknown, object]>([
    ['a row exists already', () => sql`insert into people values (${secret}, 2)`, { constraint_name: 'people_pkey' }],
    ['a row is incomplete', () => sql`insert into people (name) values (${`${secret}2`})`, { column_name: 'age' }],
    ['a check fails', () => sql`insert into people values (${secret.repeat(2)}, 2)`, { table_name: 'people' }],
    ['a value cannot be read', () => sql`select ${secret}::text::uuid`, { code: '22P02' }],
    ['a text is not JSON', () => JSON.parse(`{"name": ${secret}`), { type: 'SyntaxError' }],
    ['it has a cause', () => Promise.reject(new Error('outer', { cause: failingJson() })), { message: 'outer' }],
    ['it aggregates several', () => Promise.reject(new AggregateError([failingJson()], 'all')), { message: 'all' }],
    ['it is not an Error', () => Promise.reject(secret), {}],
  ])('%s', async (_, work, expected) => {
    const { text, err } = logged(await failing(work));
    expect(err).toMatchObject(expected);
    expect(text).not.toContain('Šárka');
    expect(text).not.toContain('sarka@');
  });
});

function failingJson(): Error {
  try {
    return JSON.parse(secret);
  } catch (error) {
    return error as Error;
  }
}

it('an error is logged with its stack and its code', async () => {
  const { err } = logged(await failing(() => sql`select * from nowhere`));
  expect(err).toMatchObject({ type: 'PostgresError', code: '42P01', message: 'relation "nowhere" does not exist' });
  expect(logged(new Error('first\nsecond')).err.stack).toMatch(/^ {4}at /);
});

it('errors that cause each other in a circle are logged', () => {
  const [one, other] = [new Error('one'), new Error('other')];
  one.cause = other;
  other.cause = one;
  expect(logged(one).err.message).toBe('one');
});
