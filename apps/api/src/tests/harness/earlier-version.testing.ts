import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../../../', import.meta.url));
const cache = process.env.VERBATIM_VERSIONS ?? join(homedir(), '.cache/verbatim-versions');

/**
 * The path of `main.js` of an earlier commit, built without the dashboard into a folder outside the tree that later runs find again; null if
 * this checkout does not have the commit. It uses the packages that are installed here.
 */
export async function earlierVersion(commit: string): Promise<string | null> {
  const there = await run('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: root }).then(
    () => true,
    () => false,
  );
  if (!there) return null;
  const folder = join(cache, commit);
  const main = join(folder, 'apps/api/dist/main.js');
  if (existsSync(main)) return main;
  await mkdir(cache, { recursive: true });
  const draft = await mkdtemp(join(cache, `${commit}-`));
  const archive = join(draft, 'sources.tar');
  await run('git', ['archive', '--output', archive, commit], { cwd: root });
  await run('tar', ['--extract', '--file', archive, '--directory', draft]);
  await rm(archive);
  await linkPackages(draft);
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--build', 'apps/api'], { cwd: draft });
  await rename(draft, folder);
  return main;
}

/** Packages of the workspace are those of the commit, by links that still lead there after the folder was renamed. */
async function linkPackages(folder: string): Promise<void> {
  const packages = join(folder, 'node_modules');
  await mkdir(join(packages, '@verbatim'), { recursive: true });
  for (const name of await readdir(join(root, 'node_modules')))
    if (name !== '@verbatim' && name !== '.package-lock.json')
      await symlink(join(root, 'node_modules', name), join(packages, name));
  for (const place of ['domain', 'event-store', 'projections', 'protocol', 'transparency'])
    if (existsSync(join(folder, 'libs', place)))
      await symlink(join('../../libs', place), join(packages, '@verbatim', place));
}
