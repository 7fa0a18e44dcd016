import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

// The rules of CONTRIBUTING.md for the subjects of commits, checked for the newest ones.

const root = fileURLToPath(new URL('../../../../../', import.meta.url));
const form = /^(feat|fix|perf|refactor|test|docs|build|ci|bench|style)(\([a-z-]+(,[a-z-]+)*\))?!?: \S.*[^.]$/;
const mostCharacters = 120;

const newest = (): string[] =>
  execFileSync('git', ['log', '--no-merges', '--max-count=50', '--format=%s'], { cwd: root, encoding: 'utf8' })
    .trim()
    .split('\n');

it.skipIf(!existsSync(`${root}.git`))('the newest commits have subjects of the agreed form', () => {
  expect(newest().filter((subject) => !form.test(subject) || subject.length > mostCharacters)).toEqual([]);
});
