import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { run } from './kubectl.testing.js';

/** The image as it was built twice, for two versions, without a cache between them. */
interface Image {
  // biome-ignore lint/suspicious/noExplicitAny: what the specification of images says
  readonly config: any;
  /** Digests of the unpacked layers, from the bottom up. */
  readonly layers: readonly string[];
  /** Archives of the layers within the archive of the image. */
  readonly files: readonly string[];
  readonly archive: string;
}

const MOST_BYTES = 250_000_000;

let current: Image;
let next: Image;
let contents: Map<string, number>;
beforeAll(async () => {
  [current, next] = await Promise.all([read('current'), read('next')]);
  contents = new Map((await Promise.all(current.files.map((file) => list(current.archive, file)))).flat());
});

async function read(version: string): Promise<Image> {
  const archive = join(`${process.env.IMAGES}`, `verbatim-${version}.tar`);
  const extract = async (file: string) => JSON.parse(await run('tar', '-xOf', archive, file));
  const [{ Config, Layers }] = await extract('manifest.json');
  const { config, rootfs } = await extract(Config);
  return { config, layers: rootfs.diff_ids, files: Layers, archive };
}

/** Paths and sizes of a layer. */
async function list(archive: string, layer: string): Promise<[string, number][]> {
  const lines = await run('bash', '-c', `tar -xOf ${archive} ${layer} | tar -tvf -`);
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/\s+/))
    .map(([, , size, , , path]) => [`/${path}`, Number(size)]);
}

const sizeBelow = (folder: string) =>
  [...contents].filter(([path]) => path.startsWith(folder)).reduce((sum, [, size]) => sum + size, 0);

describe('the image', () => {
  it('has the same application, byte by byte, each time it is built', () => {
    expect(current.layers.length).toBeGreaterThan(1);
    expect(next.layers.at(-1)).toBe(current.layers.at(-1));
  });

  it('takes less than 250 MB besides its base, Node.js included', () => {
    const [application, node] = [sizeBelow('/app/'), sizeBelow('/usr/local/bin/node')];
    console.log(`The application takes ${Math.round(application / 1e6)} MB, Node.js ${Math.round(node / 1e6)} MB.`);
    expect(application).toBeGreaterThan(0);
    expect(node).toBeGreaterThan(0);
    expect(application + node).toBeLessThan(MOST_BYTES);
  });

  it('holds no package manager', () => {
    const managers = /\/(s?bin)\/(apt[^/]*|dpkg[^/]*|npm|npx|yarn|corepack|pip[^/]*|pnpm)$/;
    expect([...contents.keys()].filter((path) => managers.test(path))).toEqual([]);
  });

  it('names every package that is in it', async () => {
    const bill = JSON.parse(
      await run('bash', '-c', `tar -xOf ${current.archive} ${current.files.at(-1)} | tar -xOf - app/sbom.cdx.json`),
    );
    expect(bill).toMatchObject({ bomFormat: 'CycloneDX' });
    const named = new Set(
      bill.components.map(({ purl }: { purl: string }) => decodeURIComponent(purl).replace(/^pkg:npm\/(.+)@.*$/, '$1')),
    );
    const present = [...contents.keys()]
      .map((path) => /^\/app\/node_modules\/(@[^/]+\/[^/]+|[^@.][^/]*)\/package\.json$/.exec(path)?.[1])
      .filter((name) => name !== undefined);
    expect(present.length).toBeGreaterThan(50);
    expect(present.filter((name) => !named.has(name))).toEqual([]);
  });

  it('runs as nobody in particular, is asked for its health, and is ended by SIGTERM', () => {
    expect(current.config).toMatchObject({
      User: '10001:10001',
      Entrypoint: ['node'],
      StopSignal: 'SIGTERM',
      Healthcheck: { Test: ['CMD', 'node', '/app/healthcheck.js'] },
    });
  });
});
