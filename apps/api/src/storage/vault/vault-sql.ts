import type { Sql } from 'postgres';

/** The database connections for what is kept in the vault. */
export class VaultSql {
  constructor(readonly sql: Sql) {}
}
