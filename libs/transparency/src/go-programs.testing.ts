import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../../../tools/verify', import.meta.url));
const BUILD_MS = 600_000;

/** Builds a program of tools/verify and answers its path; null, with one line of output, where Go or its modules are missing. */
export function buildGoProgram(name: 'verify' | 'interop'): string | null {
  if (spawnSync('go', ['version']).status !== 0) return without('Go is not installed');
  const modules = spawnSync('go', ['mod', 'download'], { cwd: source, timeout: BUILD_MS });
  if (modules.status !== 0) return without('the Go modules of tools/verify cannot be had');
  const program = join(mkdtempSync(join(tmpdir(), 'verbatim-go-')), name);
  const args = ['build', '-o', program, name === 'verify' ? '.' : './interop'];
  const build = spawnSync('nice', ['-n', '10', 'go', ...args], { cwd: source, timeout: BUILD_MS, encoding: 'utf8' });
  if (build.status !== 0) throw new Error(`go build failed:\n${build.stderr}`);
  return program;
}

function without(reason: string): null {
  console.warn(`Tests with programs in Go were left out: ${reason}.`);
  return null;
}
