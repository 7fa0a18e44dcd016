import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeCheckpoint, openCheckpoint } from './checkpoint.js';
import { buildGoProgram } from './go-programs.testing.js';
import { encodeVerifierKey, parseVerifierKey, signingKey } from './keys.js';
import { leafHash } from './merkle.js';
import { entriesFrom, entry, StoredTiles, sound } from './naive-tree.testing.js';
import { encodeNote, signText } from './note.js';
import { verifyConsistency, verifyInclusion } from './proofs.js';
import { decodeEntryBundle, parseTilePath } from './tiles.js';
import { TreeBuilder } from './tree-builder.js';
import { TreeReader } from './tree-reader.js';

const SIZE = 70_123;
const origin = 'interop.example/log';
const log = signingKey(origin, 'ed25519', Buffer.alloc(32, 1));
const witness = signingKey('witness.example', 'cosignature', Buffer.alloc(32, 2));
const program = buildGoProgram('interop');

interface Proofs {
  inclusion: { index: number; hashes: string[] }[];
  consistency: { oldSize: number; oldRoot: string; hashes: string[] }[];
}

const bytes = (list: string[] | null): Buffer[] => (list ?? []).map((text) => Buffer.from(text, 'base64'));
const texts = (list: Buffer[]): string[] => list.map((hash) => hash.toString('base64'));

describe.skipIf(program === null)('golang.org/x/mod/sumdb, transparency-dev/merkle and torchwood', () => {
  const folder = mkdtempSync(join(tmpdir(), 'verbatim-interop-'));
  const tree = new TreeBuilder();
  const tiles = new StoredTiles();

  beforeAll(() => {
    while (tree.size < SIZE) {
      tree.append(entriesFrom(tree.size, Math.min(1000, SIZE - tree.size)));
      tiles.store(tree.takeTiles());
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (command: 'check' | 'make', where: string) =>
    spawnSync(program as string, [command, where], { encoding: 'utf8', timeout: 60_000 });

  it('verify our keys, checkpoints, cosignatures, proofs, tiles and entry bundles', async () => {
    const where = join(folder, 'ours');
    const put = (path: string, content: string | Buffer): void => {
      mkdirSync(dirname(join(where, path)), { recursive: true });
      writeFileSync(join(where, path), content);
    };
    const text = encodeCheckpoint({ origin, size: SIZE, root: tree.root() });
    put('keys', `${encodeVerifierKey(log)}\n${encodeVerifierKey(witness)}\n`);
    put('checkpoint', encodeNote({ text, signatures: [signText(text, log), signText(text, witness)] }));
    for (const [path, content] of tiles.byPath) put(path, content);
    put('proofs.json', JSON.stringify(await ourProofs(tiles)));
    const { status, stderr, stdout } = run('check', where);
    expect(stderr).toBe('');
    expect(stdout).toContain(`${SIZE} entries`);
    expect(status).toBe(0);
  });

  it('refuse ours when one bit of a tile is another', () => {
    const tile = join(folder, 'ours', 'tile/0/100');
    const content = readFileSync(tile);
    content[77] = (content[77] as number) ^ 1;
    writeFileSync(tile, content);
    expect(run('check', join(folder, 'ours')).status).toBe(1);
  });

  it('produce keys, checkpoints, cosignatures and proofs that we verify, and the same tiles', () => {
    const where = join(folder, 'theirs');
    expect(run('make', where)).toMatchObject({ status: 0, stderr: '' });
    const file = (path: string): Buffer => readFileSync(join(where, path));
    const [logKey, witnessKey] = file('keys')
      .toString()
      .trim()
      .split('\n')
      .map((line) => sound(parseVerifierKey(line)));
    if (!logKey || !witnessKey) throw new Error('There are no keys.');
    expect(encodeVerifierKey(witnessKey)).toBe(encodeVerifierKey(witness));
    const policy = { origin, logKeys: [logKey], witnessKeys: [witnessKey], quorum: 1 };
    const { root, size } = sound(openCheckpoint(file('checkpoint'), policy));
    expect(size).toBe(SIZE);
    expect(root.equals(tree.root())).toBe(true);
    const proofs = JSON.parse(file('proofs.json').toString()) as Proofs;
    for (const { index, hashes } of proofs.inclusion)
      expect(verifyInclusion(index, SIZE, leafHash(entry(index)), bytes(hashes), root)).toBeNull();
    for (const { oldSize, oldRoot, hashes } of proofs.consistency)
      expect(verifyConsistency(oldSize, SIZE, Buffer.from(oldRoot, 'base64'), root, bytes(hashes))).toBeNull();
    expectSameTiles(where, tiles);
  });
});

async function ourProofs(tiles: StoredTiles): Promise<Proofs> {
  const reader = sound(TreeReader.of(SIZE, tiles.read));
  const inclusion: Proofs['inclusion'] = [];
  for (let index = 0; index < SIZE; index += 997)
    inclusion.push({ index, hashes: texts(sound(await reader.inclusionProof(index))) });
  const consistency: Proofs['consistency'] = [];
  for (let oldSize = 0; oldSize <= SIZE; oldSize += 2000) {
    const oldRoot = sound(await sound(TreeReader.of(oldSize, tiles.read)).root()).toString('base64');
    consistency.push({ oldSize, oldRoot, hashes: texts(sound(await reader.consistencyProof(oldSize))) });
  }
  return { inclusion, consistency };
}

function expectSameTiles(folder: string, tiles: StoredTiles): void {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => /(^|\/)[0-9]+$/.test(path));
  const found = paths.map((path) => ({ path, tile: parseTilePath(path) })).filter(({ tile }) => 'level' in tile);
  expect(found).toHaveLength(2 * 274 + 2 + 1);
  for (const { path, tile } of found) {
    const content = readFileSync(join(folder, path));
    expect(tiles.byPath.get(path)?.equals(content), path).toBe(true);
    if (sound(tile).level === 'entries')
      expect(sound(decodeEntryBundle(content, sound(tile).width))).toHaveLength(sound(tile).width);
  }
}
