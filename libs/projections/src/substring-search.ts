/**
 * DDL of an index that serves `LIKE '%...%'` on some columns, made with the extension pg_trgm. Where the extension is
 * missing and may not be created there is no such index: searches then read the whole table and find the same.
 */
export const substringIndex = (schema: string, table: string, ...columns: readonly string[]): string => `
  DO $$ BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
  EXCEPTION WHEN OTHERS THEN NULL;
  END $$;
  DO $$ DECLARE place name;
  BEGIN
    SELECT n.nspname INTO place FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm';
    IF FOUND THEN
      EXECUTE format('CREATE INDEX ON ${schema}.${table} USING gin (${columns.map((column) => `${column} %1$I.gin_trgm_ops`).join(', ')})', place);
    END IF;
  END $$;`;

/** The LIKE pattern that finds `part` anywhere. */
export const containing = (part: string): string => `%${part.replace(/[\\%_]/g, '\\$&')}%`;
