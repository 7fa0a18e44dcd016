// The worked example of CONTRIBUTING.md is a patch. When the code has moved on and it no longer applies:
//
//   npm run example          applies it to the working tree, with conflict markers where it does not fit
//   npm run example -- save  writes the patch again from the working tree, and undoes the changes there
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const patch = 'docs/examples/pin-a-message.patch';
const git = (...args) =>
  execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

if (process.argv[2] === 'save') {
  const changes = git('diff', 'HEAD', '-U2', '--', 'apps', 'libs', ':!*/golden/*.json');
  if (!changes) throw new Error('Nothing has changed in apps and libs.');
  writeFileSync(`${root}${patch}`, changes);
  git('apply', '--reverse', patch);
} else {
  if (git('status', '--porcelain', '--', 'apps', 'libs'))
    throw new Error('Commit or stash your changes in apps and libs first.');
  git('apply', '--3way', patch);
  git('reset', '--quiet');
}
