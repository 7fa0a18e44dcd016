import { createReadStream } from 'node:fs';
import { UsageError } from '../../command.js';

/** A row of a table, by column; null as in SQL. */
export type DumpRow = Readonly<Record<string, string | null>>;

/**
 * Reads rows of tables from a plain dump of PostgreSQL (`pg_dump`, data as COPY). Everything else in the dump is ignored.
 * Throws UsageError for a dump that cannot be read.
 */
export async function* rowsOf(
  path: string,
  tables: readonly string[],
): AsyncGenerator<{ table: string; row: DumpRow }> {
  let block: Block | null = null;
  for await (const line of linesOf(path)) {
    if (block) {
      if (line === '\\.') block = null;
      else if (tables.includes(block.table)) yield { table: block.table, row: rowOf(line, block) };
      continue;
    }
    block = blockOf(line);
    if (block || !/^(INSERT INTO|SET client_encoding)/.test(line)) continue;
    const table = /^INSERT INTO (?:"?\w+"?\.)?"?(\w+)"?/.exec(line)?.[1];
    if (table && tables.includes(table)) throw new UsageError(`${path} has INSERT statements. Dump without --inserts.`);
    if (/^SET client_encoding = '(?!UTF-?8')/i.test(line))
      throw new UsageError(`${path} is not in UTF-8. Dump with --encoding=UTF8.`);
  }
  if (block) throw new UsageError(`${path} ends in the middle of the table ${block.table}.`);
}

/** Lines end with a line feed only: texts may contain other line separators unescaped. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(path, 'utf8')) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  yield rest;
}

interface Block {
  readonly table: string;
  readonly columns: readonly string[];
}

function blockOf(line: string): Block | null {
  const [, table, columns] = /^COPY (?:"?\w+"?\.)?"?(\w+)"? \((.*)\) FROM stdin;$/.exec(line) ?? [];
  if (table === undefined || columns === undefined) return null;
  return { table, columns: columns.split(', ').map((name) => name.replaceAll('"', '')) };
}

function rowOf(line: string, { table, columns }: Block): DumpRow {
  const fields = line.split('\t');
  if (fields.length !== columns.length)
    throw new UsageError(`A row of ${table} has ${fields.length} fields instead of ${columns.length}.`);
  return Object.fromEntries(columns.map((name, i) => [name, textOf(fields[i] as string)]));
}

/** A field of the text format of COPY (PostgreSQL documentation, COPY, "Text Format"). */
function textOf(field: string): string | null {
  if (field === '\\N') return null;
  return field.replaceAll(/\\(x[\da-f]{1,2}|[0-7]{1,3}|.)/gis, (_, code: string) => {
    if (/^x[\da-f]/i.test(code)) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8));
    return escapes[code] ?? code;
  });
}

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
