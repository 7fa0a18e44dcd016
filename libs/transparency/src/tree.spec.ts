import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyRoot, leafHash, nodeHash } from './merkle.js';
import { entriesFrom, entry, naive, StoredTiles, sound } from './naive-tree.testing.js';
import { verifyConsistency, verifyInclusion } from './proofs.js';
import { decodeEntryBundle, encodeEntryBundle, parseTilePath, type TileId, tilePath, widthInTree } from './tiles.js';
import { TreeBuilder } from './tree-builder.js';
import { TreeReader } from './tree-reader.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** A tree of `size` leaves, appended in batches of `batch` with a checkpoint after each. */
function grown(size: number, batch = 97): { tree: TreeBuilder; tiles: StoredTiles } {
  const tree = new TreeBuilder();
  const tiles = new StoredTiles();
  while (tree.size < size) {
    tree.append(entriesFrom(tree.size, Math.min(batch, size - tree.size)));
    tiles.store(tree.takeTiles());
  }
  return { tree, tiles };
}

const readerOf = (size: number, tiles: StoredTiles): TreeReader => sound(TreeReader.of(size, tiles.read));

describe('hashes', () => {
  it('are those of RFC 6962 (vectors of the reference implementation)', () => {
    expect(hex(emptyRoot)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(hex(leafHash(Buffer.alloc(0)))).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
    expect(hex(leafHash(Buffer.from('L123456')))).toBe(
      '395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56',
    );
  });

  it('give the roots of the eight leaves that the reference implementation is tested with', () => {
    const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
    const leaves = inputs.map((text) => Buffer.from(text, 'hex'));
    const roots = [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ];
    roots.forEach((root, i) => {
      expect(hex(naive.root(leaves.slice(0, i + 1)))).toBe(root);
    });
    const [a, b] = leaves.map(leafHash) as [Buffer, Buffer];
    expect(hex(nodeHash(a, b))).toBe(roots[1]);
  });
});

describe('a growing tree', () => {
  it('has the root of the definition at every size up to 300, however it was appended', () => {
    const one = new TreeBuilder();
    for (let size = 0; size <= 300; size++) {
      expect(hex(one.root())).toBe(hex(naive.root(entriesFrom(0, size))));
      one.append([entry(size)]);
    }
    for (const batch of [1, 7, 255, 256, 257, 1000])
      expect(hex(grown(1000, batch).tree.root())).toBe(hex(naive.root(entriesFrom(0, 1000))));
  });

  it('proves every leaf and every earlier size, as the definition does, at sizes up to 300', async () => {
    const { tiles } = grown(300, 1);
    for (let size = 1; size <= 300; size += size < 40 ? 1 : 13) {
      const entries = entriesFrom(0, size);
      const reader = readerOf(size, tiles);
      const root = sound(await reader.root());
      expect(hex(root)).toBe(hex(naive.root(entries)));
      for (let index = 0; index < size; index += size < 40 ? 1 : 11) {
        const proof = sound(await reader.inclusionProof(index));
        expect(proof.map(hex)).toEqual(naive.path(index, entries).map(hex));
        expect(verifyInclusion(index, size, leafHash(entry(index)), proof, root)).toBeNull();
      }
      for (let old = 0; old <= size; old += size < 40 ? 1 : 7) {
        const proof = sound(await reader.consistencyProof(old));
        expect(proof.map(hex)).toEqual(naive.consistency(old, entries).map(hex));
        expect(verifyConsistency(old, size, naive.root(entries.slice(0, old)), root, proof)).toBeNull();
      }
    }
  });

  it('proves leaves and earlier sizes of large trees', async () => {
    const { tree, tiles } = grown(70_000, 1000);
    await fc.assert(
      fc.asyncProperty(fc.nat(69_999), fc.nat(69), async (index, checkpoints) => {
        const root = tree.root();
        const reader = readerOf(70_000, tiles);
        expect(hex(sound(await reader.root()))).toBe(hex(root));
        const proof = sound(await reader.inclusionProof(index));
        expect(verifyInclusion(index, 70_000, leafHash(entry(index)), proof, root)).toBeNull();
        const old = checkpoints * 1000;
        const oldRoot = sound(await readerOf(old, tiles).root());
        const consistency = sound(await reader.consistencyProof(old));
        expect(verifyConsistency(old, 70_000, oldRoot, root, consistency)).toBeNull();
      }),
      { numRuns: 50 },
    );
  });

  it('keeps exactly the tiles that the specification lists for 70,000 leaves', () => {
    const { tiles } = grown(70_000, 70_000);
    const paths = [...tiles.byPath.keys()];
    expect(paths.filter((path) => /^tile\/0\/[x0-9/]+$/.test(path))).toHaveLength(273);
    expect(paths.filter((path) => /[.]p/.test(path)).sort()).toEqual([
      'tile/0/273.p/112',
      'tile/1/001.p/17',
      'tile/2/000.p/1',
      'tile/entries/273.p/112',
    ]);
    expect(paths.filter((path) => /^tile\/1\/[x0-9/]+$/.test(path))).toEqual(['tile/1/000']);
  });

  it('goes on from its stored tiles at any size as if it had never stopped', async () => {
    for (const size of [0, 1, 2, 255, 256, 257, 511, 512, 1000, 65_535, 65_536, 65_793]) {
      const { tiles } = grown(size, 4096);
      const resumed = sound(await TreeBuilder.resume(size, tiles.read));
      resumed.append(entriesFrom(size, 600));
      tiles.store(resumed.takeTiles());
      const whole = grown(size + 600, size + 600);
      expect(hex(resumed.root())).toBe(hex(whole.tree.root()));
      for (const [path, bytes] of whole.tiles.byPath) expect(tiles.byPath.get(path)?.equals(bytes), path).toBe(true);
    }
  });

  it('does not go on from tiles that are missing or cut short', async () => {
    const { tiles } = grown(600, 600);
    for (const [path, bytes] of [...tiles.byPath].filter(
      ([path]) => path.includes('.p/') || path.startsWith('tile/1'),
    )) {
      tiles.byPath.delete(path);
      expect(await TreeBuilder.resume(600, tiles.read), path).toMatchObject({ fault: 'TileMissing' });
      tiles.byPath.set(path, bytes.subarray(1));
      expect(await TreeBuilder.resume(600, tiles.read), path).toMatchObject({ fault: 'TileMissing' });
      tiles.byPath.set(path, bytes);
    }
  });
});

describe('verification', () => {
  const SIZE = 210;
  const { tree, tiles } = grown(SIZE, 1);
  const flipped = (bytes: Uint8Array, bit: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
    return copy;
  };

  it('refuses an inclusion proof with any bit flipped, a hash more or less, or another index or size', async () => {
    const root = tree.root();
    await fc.assert(
      fc.asyncProperty(fc.nat(SIZE - 1), fc.nat(), fc.nat(255), fc.nat(2 * SIZE), async (index, at, bit, other) => {
        const proof = sound(await readerOf(SIZE, tiles).inclusionProof(index));
        const leaf = leafHash(entry(index));
        const spoiled = proof.map((hash, i) => (i === at % proof.length ? flipped(hash, bit) : hash));
        expect(verifyInclusion(index, SIZE, leaf, spoiled, root)).not.toBeNull();
        expect(verifyInclusion(index, SIZE, flipped(leaf, bit), proof, root)).not.toBeNull();
        expect(verifyInclusion(index, SIZE, leaf, proof, flipped(root, bit))).not.toBeNull();
        expect(verifyInclusion(index, SIZE, leaf, proof.slice(1), root)).not.toBeNull();
        expect(verifyInclusion(index, SIZE, leaf, [...proof, leaf], root)).not.toBeNull();
        if (other !== index) expect(verifyInclusion(other, SIZE, leaf, proof, root)).not.toBeNull();
      }),
    );
  });

  it('refuses a consistency proof with any bit flipped, a hash more or less, or another old size', async () => {
    const root = tree.root();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: SIZE - 1 }), fc.nat(), fc.nat(255), async (old, at, bit) => {
        const proof = sound(await readerOf(SIZE, tiles).consistencyProof(old));
        const oldRoot = sound(await readerOf(old, tiles).root());
        const spoiled = proof.map((hash, i) => (i === at % proof.length ? flipped(hash, bit) : hash));
        expect(verifyConsistency(old, SIZE, oldRoot, root, spoiled)).not.toBeNull();
        expect(verifyConsistency(old, SIZE, flipped(oldRoot, bit), root, proof)).not.toBeNull();
        expect(verifyConsistency(old, SIZE, oldRoot, flipped(root, bit), proof)).not.toBeNull();
        expect(verifyConsistency(old, SIZE, oldRoot, root, proof.slice(1))).not.toBeNull();
        expect(verifyConsistency(old, SIZE, oldRoot, root, [...proof, root])).not.toBeNull();
        expect(verifyConsistency(old + 1, SIZE, oldRoot, root, proof)).not.toBeNull();
        expect(verifyConsistency(SIZE, old, root, oldRoot, proof)).not.toBeNull();
      }),
    );
  });

  it('accepts only the empty proof between equal trees and from the empty tree', () => {
    const root = tree.root();
    expect(verifyConsistency(SIZE, SIZE, root, root, [])).toBeNull();
    expect(verifyConsistency(SIZE, SIZE, root, root, [root])).not.toBeNull();
    expect(verifyConsistency(SIZE, SIZE, root, emptyRoot, [])).not.toBeNull();
    expect(verifyConsistency(0, SIZE, emptyRoot, root, [])).toBeNull();
    expect(verifyConsistency(0, SIZE, root, root, [])).not.toBeNull();
    expect(verifyConsistency(0, SIZE, emptyRoot, root, [root])).not.toBeNull();
  });

  it('answers with a fault for sizes and indexes that are no numbers of leaves', async () => {
    const root = tree.root();
    for (const index of [-1, 0.5, Number.NaN, 2 ** 53, SIZE])
      expect(verifyInclusion(index, SIZE, root, [], root)).toMatchObject({ fault: 'OutOfRange' });
    expect(verifyInclusion(0, 1, root.subarray(1), [], root)).toMatchObject({ fault: 'ProofInvalid' });
    expect(await readerOf(SIZE, tiles).inclusionProof(SIZE)).toMatchObject({ fault: 'OutOfRange' });
    expect(await readerOf(SIZE, tiles).consistencyProof(SIZE + 1)).toMatchObject({ fault: 'OutOfRange' });
  });

  it('follows proofs through trees of more than 2^32 leaves', () => {
    // The leftmost and the rightmost leaf of a tree of 2^40 equal leaves, whose siblings are easily computed.
    const leaf = leafHash(entry(0));
    const siblings: Buffer[] = [leaf];
    for (let height = 1; height < 40; height++)
      siblings.push(nodeHash(siblings[height - 1] as Buffer, siblings[height - 1] as Buffer));
    const root = nodeHash(siblings[39] as Buffer, siblings[39] as Buffer);
    expect(verifyInclusion(0, 2 ** 40, leaf, siblings, root)).toBeNull();
    expect(verifyInclusion(2 ** 40 - 1, 2 ** 40, leaf, siblings, root)).toBeNull();
    expect(verifyInclusion(2 ** 33 + 5, 2 ** 40, leaf, siblings, root)).toBeNull();
    expect(verifyInclusion(0, 2 ** 39, leaf, siblings, root)).not.toBeNull();
  });
});

describe('tile paths', () => {
  it.each<[TileId, string]>([
    [{ level: 0, index: 0, width: 256 }, 'tile/0/000'],
    [{ level: 0, index: 1_234_067, width: 256 }, 'tile/0/x001/x234/067'],
    [{ level: 2, index: 999, width: 1 }, 'tile/2/999.p/1'],
    [{ level: 'entries', index: 1000, width: 255 }, 'tile/entries/x001/000.p/255'],
    [{ level: 63, index: 5, width: 256 }, 'tile/63/005'],
  ])('%j is %s', (tile, path) => {
    expect(tilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual(tile);
  });

  it.each([
    'tile/0/0',
    'tile/00/000',
    'tile/64/000',
    'tile/0/x000/001',
    'tile/0/001/000',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/000.p/',
    '/tile/0/000',
    'tile/0/000/',
    'tile/0/x001',
    'tile/-1/000',
    'tile/entry/000',
    'tile/0/x001/x001/x001/x001/x001/001',
    'tile/0/../000',
    'tile/0/000\n',
    '',
    'x'.repeat(100_000),
  ])('%j is none', (path) => {
    expect(parseTilePath(path)).toHaveProperty('fault');
  });

  it('give back every tile', () => {
    const level = fc.oneof(fc.integer({ min: 0, max: 63 }), fc.constant('entries' as const));
    fc.assert(
      fc.property(level, fc.nat(10 ** 9), fc.integer({ min: 1, max: 256 }), (level, index, width) => {
        expect(parseTilePath(tilePath({ level, index, width }))).toEqual({ level, index, width });
      }),
    );
  });

  it('know how wide a tile is in a tree', () => {
    expect(widthInTree(0, 273, 70_000)).toBe(112);
    expect(widthInTree(1, 1, 70_000)).toBe(17);
    expect(widthInTree(2, 0, 70_000)).toBe(1);
    expect(widthInTree(3, 0, 70_000)).toBe(0);
    expect(widthInTree('entries', 274, 70_000)).toBe(0);
  });
});

describe('entry bundles', () => {
  it('hold entries of any length up to 65,535 bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 256 }), (entries) => {
        const decoded = sound(decodeEntryBundle(encodeEntryBundle(entries), entries.length));
        expect(decoded.map(hex)).toEqual(entries.map(hex));
      }),
      { numRuns: 30 },
    );
    expect(() => encodeEntryBundle([Buffer.alloc(65_536)])).toThrow(RangeError);
  });

  it('are refused when cut, continued or of another width', () => {
    const bundle = encodeEntryBundle(entriesFrom(0, 3));
    for (let length = 0; length < bundle.length; length++)
      expect(decodeEntryBundle(bundle.subarray(0, length), 3)).toMatchObject({ fault: 'Malformed' });
    expect(decodeEntryBundle(bundle, 2)).toMatchObject({ fault: 'Malformed' });
    expect(decodeEntryBundle(Buffer.concat([bundle, Buffer.from([0])]), 3)).toMatchObject({ fault: 'Malformed' });
  });
});
