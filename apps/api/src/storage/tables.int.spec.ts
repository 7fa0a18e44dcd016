import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import postgres from 'postgres';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../config.js';
import { doors } from '../doors/doors.js';
import { createDatabase, dropDatabase } from '../tests/harness/database.testing.js';
import { migrateTables } from '../tools/migrate-tables.js';
import { units } from '../units/units.js';

// Tables expand in one release and contract in a later one, because replicas of the previous release use them too.

interface Column {
  readonly type: string;
  readonly nullable: boolean;
  readonly default: boolean;
}

/** The tables of a database after a release has migrated it. */
interface Tables {
  /** Steps of each migration, by `schema: component`. */
  readonly steps: Readonly<Record<string, number>>;
  /** By `schema.table.column`. */
  readonly columns: Readonly<Record<string, Column>>;
  /** Names of tables with the definitions of what rows must satisfy: unique indexes and checks. */
  readonly demands: readonly string[];
}

/** Those of the last release. `UPDATE_GOLDEN=1` rewrites them, which is for release day only. */
const golden = fileURLToPath(new URL('golden/released-tables.json', import.meta.url));

/** What would break a replica of the previous release, one sentence each. */
function obstacles(before: Tables, now: Tables): string[] {
  const found: string[] = [];
  const say = (sentence: string) => found.push(sentence);
  for (const [name, steps] of Object.entries(before.steps))
    if ((now.steps[name] ?? 0) < steps) say(`The migration "${name}" has lost steps.`);
  for (const [name, column] of Object.entries(before.columns)) {
    const present = now.columns[name];
    if (!present) say(`${name} is gone.`);
    else if (present.type !== column.type) say(`${name} is of type ${present.type} instead of ${column.type}.`);
    else if (column.nullable && !present.nullable) say(`${name} may not be null any more.`);
    else if (column.default && !present.default && !present.nullable) say(`${name} has lost its default.`);
  }
  const known = new Set(Object.keys(before.columns).map(tableOf));
  for (const [name, column] of Object.entries(now.columns))
    if (!before.columns[name] && known.has(tableOf(name)) && !column.nullable && !column.default)
      say(`${name} is new, may not be null and has no default.`);
  for (const demand of now.demands)
    if (!before.demands.includes(demand) && known.has(demand.split(': ')[0] ?? '') && !isMet(demand, before, now))
      say(`There is a new demand: ${demand}.`);
  return found;
}

/** Whether it is a foreign key on a new column with a default, which the previous release never sets. */
function isMet(demand: string, before: Tables, now: Tables): boolean {
  const [, table, column] = /^(\S+): FOREIGN KEY \((\w+)\)/.exec(demand) ?? [];
  const name = `${table}.${column}`;
  return !before.columns[name] && now.columns[name]?.default === true;
}

const tableOf = (column: string): string => column.split('.').slice(0, 2).join('.');

async function tablesOfThisRelease(): Promise<Tables> {
  const [url, folder] = [await createDatabase(), await mkdtemp(join(tmpdir(), 'verbatim-tables-'))];
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    const steps = await migrateTables(
      {
        config: readConfig({ VERBATIM_DATA: folder }),
        database: { url, directUrl: url, lost: new Promise(() => undefined), stop: async () => undefined },
        log: pino({ level: 'error' }),
      },
      [...units, ...doors].flatMap(({ migrations = [] }) => migrations),
    );
    const counts: Record<string, number> = {};
    for (const { schema, component } of steps)
      counts[`${schema}: ${component}`] = (counts[`${schema}: ${component}`] ?? 0) + 1;
    const columns = await sql<(Column & { name: string })[]>`
      select table_schema || '.' || table_name || '.' || column_name as name, data_type as type,
             is_nullable = 'YES' as nullable, column_default is not null as default
        from information_schema.columns where table_schema in ('log', 'vault', 'desk') order by 1`;
    const demands = await sql<{ demand: string }[]>`
      select schemaname || '.' || tablename || ': ' || regexp_replace(indexdef, '^.*? USING ', '') as demand from pg_indexes
       where schemaname in ('log', 'vault', 'desk') and indexdef like 'CREATE UNIQUE%'
      union all
      select conrelid::regclass || ': ' || pg_get_constraintdef(oid) from pg_constraint
       where contype in ('c', 'f') and connamespace in (select oid from pg_namespace where nspname in ('log', 'vault', 'desk'))
       order by 1`;
    return {
      steps: counts,
      columns: Object.fromEntries(columns.map(({ name, ...column }) => [name, column])),
      demands: demands.map(({ demand }) => demand),
    };
  } finally {
    await sql.end();
    await dropDatabase(url);
    await rm(folder, { recursive: true });
  }
}

it('the tables also work for replicas of the last release', async () => {
  const now = await tablesOfThisRelease();
  if (process.env.UPDATE_GOLDEN || !existsSync(golden)) writeFileSync(golden, `${JSON.stringify(now, null, 2)}\n`);
  expect(obstacles(JSON.parse(readFileSync(golden, 'utf8')), now)).toEqual([]);
});

describe('the check of that', () => {
  const text = { type: 'text', nullable: false, default: false };
  const before: Tables = {
    steps: { 'desk: notes': 1 },
    columns: { 'desk.notes.id': text, 'desk.notes.label': { ...text, nullable: true } },
    demands: ['desk.notes: btree (id)'],
  };
  const now = (columns: Tables['columns'], demands = before.demands) =>
    obstacles(before, { ...before, columns: { ...before.columns, ...columns }, demands });

  it('lets tables grow: new ones, columns with a default, columns that may be null', () => {
    expect(now({ 'desk.more.id': text })).toEqual([]);
    expect(now({ 'desk.notes.at': { ...text, default: true } })).toEqual([]);
    expect(now({ 'desk.notes.at': { ...text, nullable: true } })).toEqual([]);
    const reference = 'desk.notes: FOREIGN KEY (at) REFERENCES desk.days(at)';
    expect(now({ 'desk.notes.at': { ...text, default: true } }, [...before.demands, reference])).toEqual([]);
    expect(now({ 'desk.notes.at': { ...text, nullable: true } }, [...before.demands, reference])).toHaveLength(1);
  });

  it.each<[string, Tables['columns'], string]>([
    ['a new column that the old release does not fill', { 'desk.notes.at': text }, 'has no default'],
    ['a column that may not be null any more', { 'desk.notes.label': text }, 'may not be null any more'],
    ['another type', { 'desk.notes.id': { ...text, type: 'uuid' } }, 'of type uuid instead of text'],
  ])('finds %s', (_what, columns, sentence) => {
    expect(now(columns)).toEqual([expect.stringContaining(sentence)]);
  });

  it('finds removed or renamed columns, and new constraints', () => {
    const { 'desk.notes.label': _, ...rest } = before.columns;
    expect(
      obstacles(before, { ...before, columns: { ...rest, 'desk.notes.title': { ...text, nullable: true } } }),
    ).toEqual(['desk.notes.label is gone.']);
    expect(obstacles(before, { ...before, steps: {} })).toEqual(['The migration "desk: notes" has lost steps.']);
    expect(now({}, [...before.demands, 'desk.notes: btree (label)'])).toEqual([
      'There is a new demand: desk.notes: btree (label).',
    ]);
  });
});
