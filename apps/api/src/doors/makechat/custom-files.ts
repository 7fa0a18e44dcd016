import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** The operator's folder of pages. Files outside it are never served, whatever a path or a symbolic link says. */
export class CustomFiles {
  private constructor(
    /** Its real path. */
    readonly root: string,
  ) {}

  /** Throws when there is no such folder. */
  static async open(folder: string): Promise<CustomFiles> {
    const root = await realpath(folder).catch(() => null);
    if (root === null || !(await stat(root)).isDirectory())
      throw new Error(`MAKECHAT_CUSTOM: there is no folder ${folder}.`);
    return new CustomFiles(root);
  }

  /** The file for a path, relative to the folder: `<path>`, `<path>/index.html` or `<path>.html`; null if there is none. */
  async find(urlPath: string): Promise<string | null> {
    const path = pathIn(urlPath);
    if (path === null) return null;
    for (const candidate of [path, join(path, 'index.html'), path && `${path}.html`]) {
      const real = candidate === '' ? null : await realpath(join(this.root, candidate)).catch(() => null);
      if (real?.startsWith(this.root + sep) && (await isFile(real))) return real.slice(this.root.length + 1);
    }
    return null;
  }
}

const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => null))?.isFile() ?? false;

/** The path in the folder, without slashes around it; null if it cannot be decoded, leads upwards or to a hidden file. */
function pathIn(urlPath: string): string | null {
  let decoded: string;
  try {
    decoded = decodeURIComponent(urlPath);
  } catch {
    return null;
  }
  const segments = decoded.split('/').filter((segment) => segment !== '');
  const isPlain = segments.every((segment) => !segment.startsWith('.') && !/[\\\0]/.test(segment));
  return isPlain ? segments.join('/') : null;
}
