import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rowsOf } from './pg-dump.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verbatim-dump-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(text: string) {
  const path = join(folder, 'dump.sql');
  await writeFile(path, text);
  const rows: object[] = [];
  for await (const row of rowsOf(path, ['users'])) rows.push(row);
  return rows;
}

describe('a plain dump', () => {
  it('yields the rows of the requested tables', async () => {
    const text = [
      "SET client_encoding = 'UTF8';",
      'COPY public.threads (id, username) FROM stdin;',
      '1\tnot asked for',
      '\\.',
      'COPY public."users" (id, username, "first_name") FROM stdin;',
      '1\tada\t\\N',
      '2\tbob\ta\\tb\\\\n\\nc\\x41\\101\\q\u2028d\re',
      '\\.',
      'INSERT INTO threads VALUES (1);',
    ].join('\n');
    expect(await read(text)).toEqual([
      { table: 'users', row: { id: '1', username: 'ada', first_name: null } },
      { table: 'users', row: { id: '2', username: 'bob', first_name: 'a\tb\\n\ncAAq\u2028d\re' } },
    ]);
  });

  it.each([
    ['COPY users (id) FROM stdin;\n1\n', 'ends in the middle of the table users'],
    ['COPY users (id, name) FROM stdin;\n1\n\\.\n', 'has 1 fields instead of 2'],
    ["INSERT INTO public.users VALUES (1, 'ada');\n", 'Dump without --inserts'],
    ["SET client_encoding = 'LATIN1';\n", 'is not in UTF-8'],
  ])('%j cannot be read', async (text, why) => {
    await expect(read(text)).rejects.toThrow(why);
  });
});
