import type { Recorded } from '@verbatim/domain';
import { migrate } from '@verbatim/event-store';
import postgres from 'postgres';
import { createTestDatabase } from '../../event-store/src/postgres/test-database.testing.js';
import { applyBatch } from './checkpoints.js';
import { deskSchema } from './desk-schema.js';
import type { Log, ReadDatabase, Sql } from './projection.js';
import { createIndexes, createReadSchema, readModels } from './read-models.js';
import { plainTexts, type Texts } from './texts.js';
import { inTransaction } from './transaction.js';

export const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };

export interface TestReadDatabase extends ReadDatabase {
  readonly url: string;
  /** Empties the read models and fills them with these events, as one batch. */
  show(events: readonly Recorded[]): Promise<void>;
  drop(): Promise<void>;
}

/** A database of its own with empty read models in the schema `read_1`. */
export async function createReadDatabase(texts: Texts = plainTexts): Promise<TestReadDatabase> {
  const { url, drop } = await createTestDatabase();
  const sql: Sql = postgres(url, { max: 4, onnotice: () => {} });
  await migrate(sql, 'desk', 'read models', deskSchema);
  const db = {
    sql,
    url,
    texts,
    schema: () => 'read_1',
    show: async (events: readonly Recorded[]) => {
      await emptyReadModels(sql, 'read_1');
      await applyBatch(sql, 'read_1', [readModels.timeline, readModels.search], -1n, events, texts);
    },
    drop: async () => {
      await sql.end({ timeout: 1 });
      await drop();
    },
  };
  await inTransaction(sql, async (tx) => {
    await createReadSchema(tx, 'read_1');
    await createIndexes(tx, 'read_1');
  });
  return db;
}

const tables = [
  'people',
  'rooms',
  'members',
  'messages',
  'posters',
  'reactions',
  'left_members',
  'reaction_counts',
  'search',
  'restraints',
  'reports',
  'days',
  'webhook_bots',
  'overseers',
  'audit_trail',
  'tenures',
  'setting_changes',
  'text_changes',
];

export async function emptyReadModels(sql: Sql, schema: string): Promise<void> {
  const named = tables.map((table) => `${schema}.${table}`);
  await sql.unsafe(
    `TRUNCATE ${named.join(', ')}; UPDATE ${schema}.checkpoints SET position = -1, stream = null, revision = null, hash = null; TRUNCATE desk.read_marks`,
  );
}
