import { type Fault, fault, isFault } from '../fault.js';

/** A file of an archive. Its content must be read to the end, or not at all, before the next file is asked for. */
export interface TarFile {
  readonly name: string;
  readonly bytes: number;
  /** Parts of the content as they come; the last one may be a fault when the archive ends early. */
  readonly content: AsyncIterable<Buffer | Fault>;
}

const BLOCK_BYTES = 512;
/** A size that eleven octal digits cannot tell is written in base 256. */
const MAX_OCTAL_SIZE = 8 ** 11 - 1;

/**
 * Reads a tar archive of regular files with ustar headers as it comes, a part of a file at a time. Anything else in it
 * ends the sequence with a fault. Errors of the source are thrown on.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarFile | Fault> {
  const blocks = new BlockReader(source);
  for (;;) {
    const header = await blocks.read(BLOCK_BYTES);
    if (header === null) return yield fault('Malformed', 'The archive ends early.');
    if (header.every((byte) => byte === 0)) {
      if (!(await blocks.onlyZeroesFollow()))
        yield fault('Malformed', 'Something is wrong behind the end of the archive.');
      return;
    }
    const file = parseHeader(header);
    if (isFault(file)) return yield file;
    let rest = file.bytes;
    let broken = false;
    const content = async function* (): AsyncGenerator<Buffer | Fault> {
      while (rest > 0) {
        const part = await blocks.readSome(rest);
        if (part === null) {
          broken = true;
          return yield fault('Malformed', 'The archive ends early.');
        }
        rest -= part.length;
        yield part;
      }
    };
    yield { ...file, content: content() };
    if (broken) return;
    while (rest > 0) {
      const skipped = await blocks.readSome(rest);
      if (skipped === null) return yield fault('Malformed', 'The archive ends early.');
      rest -= skipped.length;
    }
    const padding = (BLOCK_BYTES - (file.bytes % BLOCK_BYTES)) % BLOCK_BYTES;
    if (padding > 0 && (await blocks.read(padding)) === null)
      return yield fault('Malformed', 'The archive ends early.');
  }
}

function parseHeader(header: Buffer): { name: string; bytes: number } | Fault {
  const text = (start: number, end: number): string => header.toString('latin1', start, end).replace(/\0.*$/s, '');
  const checksum = Number.parseInt(text(148, 156).trim(), 8);
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  if (checksum !== sum || text(257, 263) !== 'ustar')
    return fault('Malformed', 'A header of the archive is not a ustar header.');
  const type = header[156];
  if (type !== 0x30) return fault('Malformed', 'The archive holds something else than regular files.');
  const bytes = parseSize(header.subarray(124, 136));
  if (bytes === null || text(345, 500) !== '')
    return fault('Malformed', 'A header of the archive is not as it should be.');
  return { name: text(0, 100), bytes };
}

function parseSize(field: Buffer): number | null {
  if (field[0] === 0x80) {
    const size = field.readBigUInt64BE(4);
    return size <= BigInt(Number.MAX_SAFE_INTEGER) && field.readUInt32BE(0) === 0x80000000 ? Number(size) : null;
  }
  const digits = field.toString('latin1').replace(/[ \0]+$/, '');
  return /^[0-7]{1,11}$/.test(digits) ? Number.parseInt(digits, 8) : null;
}

/** The header that precedes a file of this name and size. Throws RangeError for a name that does not fit. */
export function tarHeader(name: string, bytes: number): Buffer {
  if (Buffer.byteLength(name) > 100) throw new RangeError('The name is too long.');
  const header = Buffer.alloc(BLOCK_BYTES);
  header.write(name, 0);
  header.write('0000644\0', 100, 'latin1');
  header.write('0000000\0', 108, 'latin1');
  header.write('0000000\0', 116, 'latin1');
  if (bytes <= MAX_OCTAL_SIZE) header.write(bytes.toString(8).padStart(11, '0'), 124, 'latin1');
  else {
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(bytes), 128);
  }
  header.write('00000000000', 136, 'latin1');
  header.write('        0', 148, 'latin1');
  header.write('ustar\u000000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** The zeroes that follow the content of a file of this size. */
export const tarPadding = (bytes: number): Buffer => Buffer.alloc((BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES);

/** What ends an archive. */
export const tarEnd: Buffer = Buffer.alloc(2 * BLOCK_BYTES);

class BlockReader {
  private readonly source: AsyncIterator<Uint8Array>;
  private chunk: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.source = source[Symbol.asyncIterator]();
  }

  /** At least one byte and at most `limit`; null at the end. */
  async readSome(limit: number): Promise<Buffer | null> {
    while (this.chunk.length === 0) {
      const { done, value } = await this.source.next();
      if (done) return null;
      this.chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
    const part = this.chunk.subarray(0, limit);
    this.chunk = this.chunk.subarray(part.length);
    return part;
  }

  /** Exactly so many bytes; null when fewer are left. */
  async read(bytes: number): Promise<Buffer | null> {
    const parts: Buffer[] = [];
    for (let missing = bytes; missing > 0; ) {
      const part = await this.readSome(missing);
      if (part === null) return null;
      parts.push(part);
      missing -= part.length;
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  /** Whether another block of zeroes follows, and nothing but zeroes after it. */
  async onlyZeroesFollow(): Promise<boolean> {
    let bytes = 0;
    for (let part = await this.readSome(65_536); part !== null; part = await this.readSome(65_536)) {
      if (part.some((byte) => byte !== 0)) return false;
      bytes += part.length;
    }
    return bytes >= BLOCK_BYTES;
  }
}
