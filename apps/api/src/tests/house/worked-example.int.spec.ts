import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, expect, it } from 'vitest';

// The worked example of CONTRIBUTING.md.

const root = fileURLToPath(new URL('../../../../../', import.meta.url));
const patch = join(root, 'docs/examples/pin-a-message.patch');
const isTest = (file: string): boolean => /\.(spec|testing)\.ts$/.test(file);

/** The files that the patch changes, from the root of the repository. */
const changed = [...readFileSync(patch, 'utf8').matchAll(/^\+\+\+ b\/(.+)$/gm)].map(([, file]) => `${file}`);
const production = changed.filter((file) => !isTest(file));

let copy: string;
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'verbatim-example-'));
  for (const file of changed) cpSync(join(root, file), join(copy, file));
});
afterAll(() => rmSync(copy, { recursive: true }));

it('changes at most nine production files, all of which CONTRIBUTING.md names', () => {
  expect(production.length).toBeLessThanOrEqual(9);
  const text = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
  expect(production.filter((file) => !text.includes(file))).toEqual([]);
});

it('applies to the sources as they are, and what it makes of them compiles', () => {
  execFileSync('git', ['apply', patch], { cwd: copy, env: { ...process.env, GIT_CEILING_DIRECTORIES: tmpdir() } });
  expect(errorsIn(changed)).toEqual([]);
}, 300_000);

/** What the compiler finds in all production code and in `tests`, with the patched files in the place of the originals. */
function errorsIn(files: readonly string[]): string[] {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, 'tsconfig.spec.json'),
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined },
  );
  if (!config) throw new Error('tsconfig.spec.json cannot be read.');
  const patched = new Map(files.map((file) => [resolve(root, file), join(copy, file)]));
  const host = ts.createCompilerHost(config.options);
  const { readFile } = host;
  host.readFile = (file) => readFile(patched.get(resolve(file)) ?? file);
  host.getSourceFile = (file, version) => {
    const text = host.readFile(file);
    return text === undefined ? undefined : ts.createSourceFile(file, text, version, true);
  };
  const service = config.fileNames.filter((file) => file.startsWith(join(root, 'apps/api/src/')) && !isTest(file));
  const program = ts.createProgram([...service, ...patched.keys()], config.options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ file, messageText }) => `${file?.fileName.slice(root.length)}: ${JSON.stringify(messageText)}`);
}
