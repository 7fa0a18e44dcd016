import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameScanner } from './frame-scanner.js';

interface Frame {
  readonly opcode: number;
  readonly final: boolean;
  readonly length: number;
  readonly mask: number;
}

/** A frame as RFC 6455, section 5.2 has it, with the shortest length field that fits. */
function encoded({ opcode, final, length, mask }: Frame): Buffer {
  const head = Buffer.alloc(length < 126 ? 6 : length < 65_536 ? 8 : 14);
  head[0] = (final ? 0x80 : 0) | opcode;
  head[1] = 0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (head.length === 8) head.writeUInt16BE(length, 2);
  if (head.length === 14) head.writeBigUInt64BE(BigInt(length), 2);
  head.writeUInt32BE(mask, head.length - 4);
  return Buffer.concat([head, Buffer.alloc(length, 0x89)]);
}

const mask = fc.nat(0xffff_ffff);
const length = fc.oneof(fc.nat(130), fc.constantFrom(0, 125, 126, 127, 65_535, 65_536), fc.nat(70_000));
const control = fc.record({
  opcode: fc.constantFrom(0x9, 0xa),
  final: fc.constant(true),
  length: fc.nat(125),
  mask,
});
/** A message in one or more fragments, with control frames between them. */
const message = fc
  .array(fc.tuple(length, fc.array(control, { maxLength: 2 }), mask), { minLength: 1, maxLength: 5 })
  .map((parts) =>
    parts.flatMap(([size, between, key], i): Frame[] => [
      ...(i === 0 ? [] : between),
      { opcode: i === 0 ? 0x1 : 0x0, final: i === parts.length - 1, length: size, mask: key },
    ]),
  );
const frames = fc
  .array(
    fc.oneof(
      message,
      control.map((one) => [one]),
    ),
    { maxLength: 6 },
  )
  .map((list) => list.flat());

it('finds each frame once, however the bytes are cut', () => {
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1 }), (sent, cuts) => {
      const found: boolean[] = [];
      const scanner = new FrameScanner((final) => found.push(final));
      const bytes = Buffer.concat(sent.map(encoded));
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = cuts[i % cuts.length] as number;
        scanner.scan(bytes.subarray(at, at + size));
        at += size;
      }
      expect(found).toEqual(sent.map(({ final }) => final));
    }),
  );
});

it('knows how much of an unfinished message has come', () => {
  fc.assert(
    fc.property(message, fc.nat(), (sent, place) => {
      const scanner = new FrameScanner(() => undefined);
      const bytes = Buffer.concat(sent.map(encoded));
      const cut = place % (bytes.length + 1);
      scanner.scan(bytes.subarray(0, cut));
      const payload = sent.reduce((sum, frame) => sum + (frame.opcode < 8 ? frame.length : 0), 0);
      expect(scanner.unfinishedBytes).toBeLessThanOrEqual(Math.min(payload, cut));
      scanner.scan(bytes.subarray(cut));
      expect(scanner.unfinishedBytes).toBe(0);
    }),
  );
  const scanner = new FrameScanner(() => undefined);
  scanner.scan(encoded({ opcode: 0x1, final: false, length: 1_000, mask: 7 }));
  scanner.scan(encoded({ opcode: 0x9, final: true, length: 100, mask: 7 }));
  scanner.scan(encoded({ opcode: 0x0, final: true, length: 70_000, mask: 7 }).subarray(0, 514));
  expect(scanner.unfinishedBytes).toBe(1_500);
});
