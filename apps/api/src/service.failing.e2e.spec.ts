import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { doors } from './doors/doors.js';
import { door, type Opened } from './host/part.js';
import { createDatabase, dropDatabase } from './tests/harness/database.testing.js';
import { startTestService } from './tests/harness/test-service.testing.js';

const MASTER_KEY = Buffer.alloc(32, 1).toString('base64');

describe('a start that fails', () => {
  let databaseUrl: string;
  let sql: Sql;
  beforeAll(async () => {
    databaseUrl = await createDatabase();
    sql = postgres(databaseUrl, { max: 1, connection: { application_name: 'onlooker' } });
  });
  afterAll(async () => {
    await sql.end();
    await dropDatabase(databaseUrl);
  });

  const fail = () => {
    throw new Error('this part does not start');
  };
  const failing = {
    configuring: door({ name: 'failing', configure: fail, open: () => ({}) }),
    opening: door({ name: 'failing', open: fail }),
    starting: door({ name: 'failing', open: (): Opened => ({ start: fail }) }),
  };

  it.each(Object.entries(failing))(
    'in %s of the last part leaves nothing running, and reports why',
    async (_, part) => {
      const start = startTestService({ databaseUrl, environment: { MASTER_KEY }, doors: [...doors, part] });
      await expect(start).rejects.toThrow('this part does not start');
      await vi.waitFor(async () => {
        const connections = await sql`
        select query from pg_stat_activity where datname = current_database() and application_name <> 'onlooker'`;
        expect([...connections]).toEqual([]);
      }, 5_000);
    },
  );
});
