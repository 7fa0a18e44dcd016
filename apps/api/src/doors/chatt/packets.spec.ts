import { generate, type Packet } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { binaryFrame } from '../../host/websocket-frames.js';
import { BadPacket } from './endings.js';
import { maxPacketBytes, PacketReader } from './packets.js';
import { Publication } from './publication.js';
import { connectPacket } from './raw-client.testing.js';

/** The packets that a reader finds in chunks. */
const read = (...chunks: Buffer[]): Packet[] => {
  const reader = new PacketReader();
  return chunks.flatMap((chunk) => [...reader.push(chunk)]);
};
/** As mqtt.js 3.0.0 writes it: the client id is counted in UTF-16 units. */
function tooShort(clientId: string, more = {}): Buffer {
  const bytes = generate(connectPacket(clientId, more));
  bytes[1] = (bytes[1] as number) - (Buffer.byteLength(clientId) - clientId.length);
  return bytes;
}

describe('packets', () => {
  it('are the same however their bytes are split', () => {
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

  it('whose length is wrong in another way are refused', () => {
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

describe('acknowledgements', () => {
  const ack = (messageId: number, version: 4 | 5 = 4) =>
    generate({ cmd: 'puback', messageId, reasonCode: 0 }, { protocolVersion: version });
  const reader = (version: 4 | 5 = 4) => {
    const read = new PacketReader();
    [...read.push(generate(connectPacket('x', { protocolVersion: version })))];
    return read;
  };

  it.each([4, 5] as const)('at the start of a chunk are read on their own, in version %i', (version) => {
    const ids: number[] = [];
    const ping = generate({ cmd: 'pingreq' });
    const chunk = Buffer.concat([ack(1, version), ack(513, version), ping, ack(2, version)]);
    const left = reader(version).skipAcknowledgements(chunk, (id) => ids.push(id));
    expect(ids).toEqual([1, 513]);
    expect(left).toEqual(Buffer.concat([ping, ack(2, version)]));
  });

  it('that are cut, or follow part of a packet, are left to the parser', () => {
    const ids: number[] = [];
    const one = reader();
    const left = one.skipAcknowledgements(Buffer.concat([ack(7), ack(8).subarray(0, 3)]), (id) => ids.push(id));
    expect([...one.push(left)]).toEqual([]);
    const rest = Buffer.concat([ack(8).subarray(3), ack(9)]);
    expect(one.skipAcknowledgements(rest, (id) => ids.push(id))).toBe(rest);
    expect([...one.push(rest)]).toMatchObject([{ cmd: 'puback', messageId: 8 }, { messageId: 9 }]);
    expect(ids).toEqual([7]);
  });
});

describe('a publication', () => {
  it.each([
    ['rooms/main/newtext', 4],
    ['rooms/Grüße/newtext', 4],
    ['rooms/Grüße/newtext', 5],
  ] as const)('is a PUBLISH at both levels, at %s in version %i', (topic, version) => {
    const forms = new Publication(topic, Buffer.from('{"text":"x"}')).in(version);
    const numbered = forms.packetWithId(513);
    const hello = generate(connectPacket('x', { protocolVersion: version }));
    const [, plain, withId] = read(hello, forms.packet, numbered);
    const payload = Buffer.from('{"text":"x"}');
    expect(plain).toMatchObject({ topic, qos: 0, payload });
    expect(withId).toMatchObject({ topic, qos: 1, messageId: 513, dup: false, payload });
    expect(forms.frame).toEqual(binaryFrame(forms.packet));
    expect(forms.frameWithId(513)).toEqual(binaryFrame(numbered));
    expect(forms.packetWithId(1)).not.toBe(forms.packetWithId(1));
  });
});
