import { type Fault, fault } from './fault.js';
import { HASH_BYTES } from './merkle.js';

/** Hashes in a full tile, and entries in a full entry bundle. */
export const TILE_WIDTH = 256;
/** Levels of the tree that a tile covers. */
export const TILE_HEIGHT = 8;
/** Tile levels of the largest tree this library handles. */
export const MAX_TILE_LEVEL = 6;

const MAX_PATH_CHARACTERS = 64;
/** Indexes of up to 15 digits, which are safe integers. */
const MAX_INDEX_ELEMENTS = 5;

/** A tile of hashes or, with level `entries`, an entry bundle. Partial when `width` is below 256. */
export interface TileId {
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

export interface Tile extends TileId {
  /** Concatenated hashes, or the encoded entry bundle. */
  readonly bytes: Buffer;
}

/** The path of a tile below the log's prefix: `tile/<L>/<N>[.p/<W>]` (c2sp.org/tlog-tiles). */
export function tilePath({ level, index, width }: TileId): string {
  const elements = [`${index % 1000}`.padStart(3, '0')];
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000))
    elements.unshift(`x${`${rest % 1000}`.padStart(3, '0')}`);
  return `tile/${level}/${elements.join('/')}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

const pathForm = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/;

/** Reads what `tilePath` writes, and nothing else: each tile has exactly one path. */
export function parseTilePath(path: string): TileId | Fault {
  if (path.length > MAX_PATH_CHARACTERS) return fault('TooLarge', 'The path is too long.');
  const [, level, elements, width] = pathForm.exec(path) ?? [];
  if (level === undefined || elements === undefined) return fault('Malformed', 'This is not the path of a tile.');
  if (level !== 'entries' && Number(level) > 63) return fault('Malformed', 'There are no tiles above level 63.');
  if (elements.split('/').length > MAX_INDEX_ELEMENTS) return fault('OutOfRange', 'No tree is this large.');
  if (elements.startsWith('x000')) return fault('Malformed', 'The index of the tile has leading zeroes.');
  if (width !== undefined && Number(width) >= TILE_WIDTH)
    return fault('Malformed', 'A partial tile has up to 255 hashes.');
  return {
    level: level === 'entries' ? level : Number(level),
    index: Number(elements.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
}

/** The width that a tile has in a tree of `size` leaves; 0 when the tree has no such tile. */
export function widthInTree(level: TileId['level'], index: number, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** (level === 'entries' ? 0 : level));
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH));
}

/** Whether a log whose newest checkpoint has `size` leaves has to serve this tile, full or partial. */
export const existsInTree = ({ level, index, width }: TileId, size: number): boolean =>
  width <= widthInTree(level, index, size);

/** Bytes of a tile of hashes, or of a bundle whose entries are hashes. */
export const tileBytes = ({ level, width }: TileId): number =>
  width * (level === 'entries' ? ENTRY_PREFIX_BYTES + HASH_BYTES : HASH_BYTES);

const ENTRY_PREFIX_BYTES = 2;
const MAX_ENTRY_BYTES = 65_535;

/** An entry bundle: each entry behind its length as a big-endian uint16. Throws RangeError for an entry above 65,535 bytes. */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Buffer {
  const bundle = Buffer.alloc(entries.reduce((bytes, entry) => bytes + ENTRY_PREFIX_BYTES + entry.length, 0));
  let at = 0;
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY_BYTES) throw new RangeError('An entry has at most 65,535 bytes.');
    at = bundle.writeUInt16BE(entry.length, at);
    bundle.set(entry, at);
    at += entry.length;
  }
  return bundle;
}

/** The entries of a bundle of exactly `width` entries. */
export function decodeEntryBundle(bundle: Uint8Array, width: number): Buffer[] | Fault {
  const bytes = Buffer.from(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const entries: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (entries.length === width) return fault('Malformed', `The bundle has more than ${width} entries.`);
    if (at + ENTRY_PREFIX_BYTES > bytes.length) return fault('Malformed', 'The bundle ends within a length.');
    const start = at + ENTRY_PREFIX_BYTES;
    const end = start + bytes.readUInt16BE(at);
    if (end > bytes.length) return fault('Malformed', 'The bundle ends within an entry.');
    entries.push(bytes.subarray(start, end));
    at = end;
  }
  return entries.length === width ? entries : fault('Malformed', `The bundle has fewer than ${width} entries.`);
}
