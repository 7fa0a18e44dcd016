import { afterAll, beforeAll, expect, it } from 'vitest';
import { everyEvent } from '../../domain/src/every-event.testing.js';
import { expectGolden } from '../../event-store/src/golden.testing.js';
import type { Projection } from './projection.js';
import { createReadDatabase, type TestReadDatabase } from './read-database.testing.js';
import { readModels, readModelsVersion } from './read-models.js';
import { Recorder } from './recorder.testing.js';

let db: TestReadDatabase;
beforeAll(async () => {
  db = await createReadDatabase();
  const recorder = new Recorder();
  for (const { stream, actor, fact, occurredAt } of everyEvent) recorder.record(stream, actor, fact, occurredAt);
  await db.show(recorder.events);
});
afterAll(() => db.drop());

it.each([...readModels.timeline.projections, ...readModels.search.projections])(
  'the rows of $name are the same as when the version was raised',
  async (projection) => {
    const content = await rowsOf(projection);
    for (const rows of Object.values(content)) expect(rows.length).toBeGreaterThan(0);
    const file = new URL(`./golden/${projection.name.replaceAll(' ', '-')}.json`, import.meta.url);
    await expectGolden(file, readModelsVersion, content, '`ROWS` in read-models.ts');
  },
);

/** By table, in an order that does not depend on where the database put them. */
async function rowsOf(projection: Projection): Promise<Record<string, unknown[]>> {
  const tables = [...projection.tables('read_1').matchAll(/CREATE TABLE read_1\.(\w+)/g)].map(
    ([, table]) => `${table}`,
  );
  const rows = await Promise.all(
    tables.map(
      (table) =>
        db.sql<{ row: object }[]>`SELECT to_jsonb(t) AS row FROM read_1.${db.sql(table)} t ORDER BY to_jsonb(t)::text`,
    ),
  );
  return Object.fromEntries(tables.map((table, i) => [table, (rows[i] ?? []).map(({ row }) => row)]));
}
