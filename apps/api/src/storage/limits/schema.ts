import { migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';

/** Counters of the limits that all replicas share. Those that a crash may lose are unlogged. */
export const migrateLimits = (sql: Sql): Promise<void> =>
  migrate(sql, 'desk', 'limits', [
    `create table desk.sign_in_attempts (
       key text primary key, failures int not null, tried_at timestamptz not null, open_at timestamptz not null);
     create index sign_in_attempts_tried on desk.sign_in_attempts (tried_at);
     create table desk.registrations (key text primary key, full_at timestamptz not null);
     create unlogged table desk.allowances (key text primary key, full_at timestamptz not null)`,
  ]);
