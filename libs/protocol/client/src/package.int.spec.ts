import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// The package as others get it: what `npm pack` makes of the last build, installed in an empty folder.

const MOST_BYTES = 20 * 1_024;
const run = promisify(execFile);
const own = fileURLToPath(new URL('..', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verbatim-client-'));
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: own });
  await writeFile(join(folder, 'package.json'), '{"type": "module"}');
  const always = ['--prefer-offline', '--no-audit', '--no-fund'];
  await run('npm', ['install', `./${(await packed())[0]}`, ...always], { cwd: folder });
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const packed = async () => (await readdir(folder)).filter((name) => name.endsWith('.tgz'));

/** What somebody writes who uses it. */
const program = `
import { Client, OutcomeUnknown, VerbatimError, type Following, type Posted } from '@verbatim/client';

export async function talk(server: string): Promise<number> {
  const client = new Client({ servers: [server] });
  const user = await client.signIn({ username: 'ada', password: 'correct horse battery' });
  const room = await client.call('createRoom', { body: { name: user.username } });
  const { items } = await client.call('listMessages', { params: { id: room.id }, query: { limit: 10 } });
  const posted: Posted = await client.post(room.id, items.map(({ text }) => text ?? '').join(' '));
  const following: Following = client.follow(room.id, { after: -1, onRemoved: (reason) => void reason });
  for await (const event of following) if (event.type === 'MessagePosted') console.log(event.data.text, posted.id);
  return items.length;
}
export const isKnown = (error: unknown) => error instanceof VerbatimError ? error.code : error instanceof OutcomeUnknown;
`;

describe('the package of the client', () => {
  it('brings nothing else of this workspace, and no schemas', async () => {
    const installed = await readdir(join(folder, 'node_modules'));
    expect(installed.filter((name) => !name.startsWith('.')).sort()).toEqual(['@verbatim', 'uuid', 'ws']);
    expect(await readdir(join(folder, 'node_modules/@verbatim'))).toEqual(['client']);
    const files = await readdir(join(folder, 'node_modules/@verbatim/client'), { recursive: true });
    expect(files).toEqual(expect.arrayContaining(['README.md', 'dist/LICENSE', 'dist/index.js', 'dist/index.d.ts']));
    for (const file of files.filter((name) => /\.(js|d\.ts)$/.test(name)))
      expect(await readFile(join(folder, 'node_modules/@verbatim/client', file), 'utf8')).not.toMatch(
        /from ['"](zod|@verbatim\/)/,
      );
  });

  it('works in Node: it asks a server, and says what went wrong', async () => {
    const script = `
      import { Client, VerbatimError } from '@verbatim/client';
      const client = new Client({ servers: ['http://127.0.0.1:9'] });
      const error = await client.call('getAbout', {}, { deadlineMs: 300 }).catch((error) => error);
      console.log(error instanceof VerbatimError, error.code, error.retryable);`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: folder });
    expect(stdout).toBe('true unavailable true\n');
  });

  it('has types that TypeScript understands by themselves, and that find mistakes', async () => {
    await writeFile(join(folder, 'right.ts'), program);
    await writeFile(join(folder, 'wrong.ts'), program.replace('{ name: user.username }', '{ named: user.username }'));
    expect(errorsIn('right.ts', 'wrong.ts')).toEqual([expect.stringMatching(/^wrong.ts: .*'named' does not exist/)]);
  }, 60_000);

  it(`takes at most ${MOST_BYTES} bytes in a browser, compressed`, async () => {
    await writeFile(join(folder, 'page.js'), "export { Client } from '@verbatim/client';");
    const bundle = await rolldown({ input: join(folder, 'page.js'), platform: 'browser' });
    const { output } = await bundle.generate({ format: 'esm', minify: true });
    const entry = output.find((chunk) => chunk.type === 'chunk' && chunk.isEntry);
    const bytes = gzipSync((entry as { code: string }).code).length;
    expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
    expect(bytes).toBeGreaterThan(5_000);
  });
});

function errorsIn(...files: string[]): string[] {
  const paths = files.map((file) => join(folder, file));
  const found = ts.getPreEmitDiagnostics(
    ts.createProgram(paths, {
      ...{ target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.NodeNext, strict: true, noEmit: true, types: [] },
      exactOptionalPropertyTypes: true,
    }),
  );
  return found.map(({ file, messageText }) => {
    return `${file && basename(file.fileName)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}
