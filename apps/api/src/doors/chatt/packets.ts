import { isUtf8 } from 'node:buffer';
import { parser as newParser, type Packet, type Parser } from 'mqtt-packet';
import { BadPacket } from './endings.js';
import { checkProperties } from './properties.js';

/** Bytes of a packet, without its fixed header. Longer ones end the connection. */
export const maxPacketBytes = 131_072;

/** Bytes of a payload. The longest text takes fewer, even if all of it is escaped. */
export const maxPayloadBytes = 100_000;

/** Publications a client of MQTT 5 may have in flight at QoS 1 and 2. */
export const receiveMaximum = 1_000;

const CONNECT = 1;
/** The first byte of an acknowledgement. Its length is 2 unless MQTT 5 adds a reason. */
const PUBACK = 0x40;
/** Fixed header: one byte, and a length of one to four bytes. */
const MAX_HEADER = 5;

/** Reads the packets of one client from its bytes, however they are split. */
export class PacketReader {
  private readonly parser: Parser = newParser({ protocolVersion: 4 });
  private chunks: Buffer[] = [];
  /** Bytes needed before the next packet can be complete. */
  private needed = 0;
  private greeted = false;
  private read: Packet[] = [];
  /** Bytes of a packet that has not arrived in full. */
  heldBytes = 0;

  constructor() {
    this.parser.on('packet', (packet) => this.read.push(packet));
    this.parser.on('error', (error) => {
      throw new BadPacket(error.message);
    });
  }

  /**
   * Reports the packet ids of the acknowledgements at the start of a chunk, and returns the remaining bytes. Every text at QoS 1
   * is acknowledged, so acknowledgements bypass the parser.
   */
  skipAcknowledgements(chunk: Buffer, acknowledged: (packetId: number) => void): Buffer {
    if (this.heldBytes > 0 || !this.greeted) return chunk;
    let at = 0;
    for (; chunk[at] === PUBACK && chunk[at + 1] === 2 && at + 4 <= chunk.length; at += 4)
      acknowledged(chunk.readUInt16BE(at + 2));
    return at === 0 ? chunk : chunk.subarray(at);
  }

  /** Yields the packets that this chunk completes. Throws BadPacket at the first bad one. */
  *push(chunk: Buffer): Generator<Packet> {
    this.chunks.push(chunk);
    this.heldBytes += chunk.length;
    if (this.heldBytes < this.needed) return;
    let rest = this.chunks.length === 1 ? chunk : Buffer.concat(this.chunks);
    this.chunks = [];
    for (let cut = this.cut(rest); cut.packet; cut = this.cut(rest)) {
      rest = rest.subarray(cut.length);
      yield this.parse(cut.packet);
    }
    // A copy, so that a small rest does not keep a large chunk in memory.
    if (rest.length > 0) this.chunks.push(Buffer.from(rest));
    this.heldBytes = rest.length;
  }

  /** The first packet, if it is complete, and its length in bytes. */
  private cut(bytes: Buffer): { readonly packet: Buffer | null; readonly length: number } {
    const header = readHeader(bytes);
    if (!header) return this.waitFor(bytes.length + 1);
    const { start, length } = header;
    const first = bytes[0] as number;
    if (this.greeted === (first >> 4 === CONNECT)) throw new BadPacket('CONNECT comes first, and once.', 'protocol');
    if (length > maxPacketBytes) throw new BadPacket('The packet is too long.', 'tooLarge');
    const body = bytes.subarray(start);
    const actual = this.greeted ? length : connectLength(body, length);
    const end = start + actual;
    if (bytes.length < end) return this.waitFor(end);
    this.greeted = true;
    const packet =
      actual === length
        ? bytes.subarray(0, end)
        : Buffer.concat([fixedHeader(first, actual), body.subarray(0, actual)]);
    return { packet, length: end };
  }

  private waitFor(length: number) {
    this.needed = length;
    return { packet: null, length };
  }

  private parse(bytes: Buffer): Packet {
    this.read = [];
    this.parser.parse(bytes);
    const [packet, ...more] = this.read;
    if (!packet || more.length > 0) throw new BadPacket('The length of the packet is wrong.');
    checkProperties(packet);
    return packet;
  }
}

function readHeader(bytes: Buffer): { readonly start: number; readonly length: number } | null {
  let length = 0;
  for (let i = 1; i < MAX_HEADER; i++) {
    const byte = bytes[i];
    if (byte === undefined) return null;
    length += (byte & 0x7f) * 128 ** (i - 1);
    if (byte < 0x80) return { start: i + 1, length };
  }
  throw new BadPacket('The length of the packet is malformed.');
}

/**
 * The actual length of a CONNECT. The original page (mqtt.js 3.0.0) counts the client id in UTF-16 units, so its packet is longer
 * than stated: by the id's bytes minus its units. This is corrected only if all fields end exactly there.
 */
function connectLength(body: Buffer, said: number): number {
  const name = field(body.subarray(0, said), 0);
  // The protocol name is followed by its level, the flags, the keep-alive and the client id.
  const idAt = name ? name.end + 4 : said;
  // MQTT 5 has properties before the client id, and clients that count correctly.
  if (name && (body[name.end] ?? 0) > 4) return said;
  if (body.length < said || said < idAt + 2 || endOfConnect(body.subarray(0, said), idAt) === said) return said;
  const idLength = body.readUInt16BE(idAt);
  const idEnd = idAt + 2 + idLength;
  // A unit takes three bytes at most.
  if (idEnd - said > (idLength * 2) / 3) return said;
  if (body.length < idEnd) return idEnd;
  const id = body.subarray(idAt + 2, idEnd);
  const whole = said + (isUtf8(id) ? idLength - id.toString('utf8').length : 0);
  return body.length < whole || endOfConnect(body.subarray(0, whole), idAt) === whole ? whole : said;
}

/** Where the fields of a CONNECT end; null if they exceed these bytes. */
function endOfConnect(body: Buffer, idAt: number): number | null {
  const flags = body[idAt - 3] ?? 0;
  const fields = 1 + (flags & 0x04 ? 2 : 0) + (flags & 0x80 ? 1 : 0) + (flags & 0x40 ? 1 : 0);
  let end = idAt;
  for (let i = 0; i < fields; i++) {
    const next = field(body, end);
    if (!next) return null;
    end = next.end;
  }
  return end;
}

function field(body: Buffer, at: number): { readonly end: number } | null {
  if (body.length < at + 2) return null;
  const end = at + 2 + body.readUInt16BE(at);
  return end <= body.length ? { end } : null;
}

/** The fixed header of a packet: `first` is its type and flags. */
export function fixedHeader(first: number, length: number): Buffer {
  const bytes = [first];
  for (let rest = length; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest < 128 ? rest : (rest % 128) | 0x80);
    if (rest < 128) return Buffer.from(bytes);
  }
}
