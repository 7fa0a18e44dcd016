/**
 * WebSocket frames as a server writes them: whole messages, unmasked and uncompressed (RFC 6455, 5.2). They bypass the
 * WebSocket library through an `Outbox`.
 */
const opcodes = { text: 0x1, binary: 0x2, ping: 0x9, pong: 0xa } as const;

export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const frame = frameFor('text', length);
  frame.write(text, frame.length - length, 'utf8');
  return frame;
}

export function binaryFrame(bytes: Buffer): Buffer {
  const frame = frameFor('binary', bytes.length);
  bytes.copy(frame, frame.length - bytes.length);
  return frame;
}

/** A control frame of at most 125 bytes. */
export function controlFrame(kind: 'ping' | 'pong', payload: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0x80 | opcodes[kind], payload.length), payload]);
}

/** The header of a frame whose payload is written afterwards. */
function frameFor(kind: 'text' | 'binary', length: number): Buffer {
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(header + length);
  frame[0] = 0x80 | opcodes[kind];
  if (header === 2) {
    frame[1] = length;
  } else if (header === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  return frame;
}
