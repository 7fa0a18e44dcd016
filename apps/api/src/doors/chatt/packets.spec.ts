import { generate, type Packet } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { binaryFrame } from '../../host/websocket-frames.js';
import { BadPacket, maxPacketBytes, PacketReader, Publication } from './packets.js';
import { connectPacket } from './raw-client.testing.js';

/** What a reader makes of chunks. */
const read = (...chunks: Buffer[]): Packet[] => {
  const reader = new PacketReader();
  return chunks.flatMap((chunk) => [...reader.push(chunk)]);
};
/** As mqtt.js 3.0.0 writes it: the client id counts in UTF-16 units. */
function tooShort(clientId: string, more = {}): Buffer {
  const bytes = generate(connectPacket(clientId, more));
  bytes[1] = (bytes[1] as number) - (Buffer.byteLength(clientId) - clientId.length);
  return bytes;
}

describe('packets', () => {
  it('are the same however their bytes are cut', () => {
    const packets: Packet[] = [
      connectPacket('Ada', { username: 'ada', password: Buffer.from('secret') }),
      { cmd: 'publish', topic: 'a/b', payload: Buffer.alloc(300), qos: 1, messageId: 9, dup: false, retain: false },
      { cmd: 'pingreq' },
    ];
    const bytes = Buffer.concat(packets.map((packet) => generate(packet)));
    const kinds = (read: Packet[]) => read.map(({ cmd }) => cmd);
    expect(kinds(read(bytes))).toEqual(['connect', 'publish', 'pingreq']);
    expect(kinds(read(...Array.from(bytes, (byte) => Buffer.from([byte]))))).toEqual(['connect', 'publish', 'pingreq']);
  });

  it.each(['Ärger', '你好', '👋 مرحبا'])('of the original page are understood with the name %s', (clientId) => {
    const login = { username: 'ü', password: Buffer.from('x') };
    for (const more of [{}, login]) {
      const bytes = Buffer.concat([tooShort(clientId, more), generate({ cmd: 'pingreq' })]);
      for (const cut of [1, 15, 20, bytes.length]) {
        const [first, second] = read(bytes.subarray(0, cut), bytes.subarray(cut));
        expect(first).toMatchObject({ cmd: 'connect', clientId });
        expect(second).toMatchObject({ cmd: 'pingreq' });
      }
      expect(read(generate(connectPacket(clientId, more)))).toMatchObject([{ cmd: 'connect', clientId }]);
    }
  });

  it('that are too short by another number are refused', () => {
    const bytes = tooShort('Ärger');
    bytes[1] = (bytes[1] as number) - 1;
    expect(() => read(bytes, Buffer.alloc(10))).toThrow(BadPacket);
  });

  it('are refused as soon as their length is known to be too large', () => {
    const header = Buffer.from([0x30, 0x81, 0x80, 0x08]);
    expect(128 ** 2 * 8 + 1).toBeGreaterThan(maxPacketBytes);
    expect(() => read(generate(connectPacket('x')), header)).toThrow('too long');
  });
});

describe('a publication', () => {
  it.each(['rooms/main/newtext', 'rooms/Grüße/newtext'])('is a PUBLISH at both levels, at %s', (topic) => {
    const publication = new Publication(topic, Buffer.from('{"text":"x"}'));
    const numbered = publication.packetWithId(513);
    const [, plain, withId] = read(generate(connectPacket('x')), publication.packet, numbered);
    expect(plain).toMatchObject({ topic, qos: 0 });
    expect(withId).toMatchObject({ topic, qos: 1, messageId: 513, dup: false });
    expect(publication.frame).toEqual(binaryFrame(publication.packet));
    expect(publication.frameWithId(513)).toEqual(binaryFrame(numbered));
    expect(publication.packetWithId(1)).not.toBe(publication.packetWithId(1));
  });
});
