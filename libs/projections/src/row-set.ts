import type postgres from 'postgres';
import { type ArrayElement, column } from './column-values.js';
import type { Transaction } from './projection.js';

type ColumnType = 'text' | 'integer' | 'bigint' | 'boolean' | 'timestamptz' | 'date' | 'jsonb';

/** Written as texts, which the database parses. */
const parsed: ReadonlySet<ColumnType> = new Set(['timestamptz', 'date', 'jsonb']);

/**
 * Rows as one table in a statement, whatever their number: `FROM ${posted(tx, rows)}` becomes
 * `FROM unnest($1::text[], $2::bigint[]) AS posted (room_id, revision)`. `columns` lists the SQL names of the columns, each
 * with the field of a row and its type.
 */
export function rowSet<F extends string>(
  alias: string,
  columns: { readonly [name: string]: readonly [F, ColumnType] },
) {
  const parts = Object.values(columns);
  const casts = parts.map(([, type]) => (parsed.has(type) ? `::text[]::${type}[]` : `::${type}[]`));
  const texts = [
    'unnest(',
    ...casts.slice(0, -1).map((cast) => `${cast}, `),
    `${casts.at(-1)}) AS ${alias} (${Object.keys(columns).join(', ')})`,
  ];
  const template = Object.assign(texts, { raw: texts }) as readonly string[] as TemplateStringsArray;
  return (
    tx: Transaction,
    rows: readonly { readonly [N in F]: ArrayElement }[],
  ): postgres.PendingQuery<postgres.Row[]> => tx(template, ...parts.map(([field]) => column(rows, field)));
}
