import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CheckpointPolicy,
  encodeCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  verifyCosignatures,
} from './checkpoint.js';
import { isFault } from './fault.js';
import {
  encodeSigningKey,
  encodeVerifierKey,
  parseSigningKey,
  parseVerifierKey,
  type SigningKey,
  signingKey,
  type VerifierKey,
  verifierKey,
} from './keys.js';
import { sound } from './naive-tree.testing.js';
import {
  addSignatures,
  encodeNote,
  encodeSignatures,
  noteLimits,
  openNote,
  parseNote,
  signNote,
  signText,
} from './note.js';

const key = (name: string, type: 'ed25519' | 'cosignature' = 'ed25519', seed = 1): SigningKey =>
  signingKey(name, type, Buffer.alloc(32, seed));

/** Every way to flip one bit of a text's UTF-8, at random. */
const oneBitOff = (text: string): fc.Arbitrary<Buffer> =>
  fc.nat(Buffer.byteLength(text) * 8 - 1).map((bit) => {
    const bytes = Buffer.from(text);
    bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
    return bytes;
  });

describe('keys', () => {
  it('are written and read in the form of the specification', () => {
    const text = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
    const parsed = sound(parseVerifierKey(text)) as VerifierKey;
    expect(parsed).toMatchObject({ name: 'example.com/foo', id: 0x530d903a, type: 'ed25519' });
    expect(encodeVerifierKey(parsed)).toBe(text);
  });

  it('that sign are read in the form of golang.org/x/mod/sumdb/note', () => {
    const text = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
    const parsed = sound(parseSigningKey(text)) as SigningKey;
    expect(encodeVerifierKey(parsed)).toBe('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW');
    expect(encodeSigningKey(parsed)).toBe(text);
  });

  it('of the same name and bytes have another ID for each type of signature', () => {
    expect(key('a').id).not.toBe(key('a', 'cosignature').id);
  });

  it.each([
    ['', 'Malformed'],
    ['example.com/foo', 'Malformed'],
    ['example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k', 'Malformed'],
    ['example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k', 'Malformed'],
    ['example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k', 'Malformed'],
    ['example.com/foo+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k', 'UnsupportedKey'],
    ['example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2', 'Malformed'],
    ['+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k', 'Malformed'],
    ['a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k', 'Malformed'],
    ['x'.repeat(10_000), 'TooLarge'],
  ])('%s is none', (text, kind) => {
    expect(parseVerifierKey(text)).toMatchObject({ fault: kind });
  });

  it('have names without spaces and plus signs, and 32 bytes', () => {
    for (const name of ['', 'a b', 'a+b', 'a\u2003b', 'a\u0085b', '\ud800', 'x'.repeat(256)])
      expect(() => verifierKey(name, 'ed25519', Buffer.alloc(32))).toThrow(RangeError);
    expect(() => verifierKey('a', 'ed25519', Buffer.alloc(31))).toThrow(RangeError);
  });
});

describe('a signed note', () => {
  const text = 'This is an example message.\n';
  const specified = `${text}\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n`;
  const foo = sound(
    parseVerifierKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'),
  ) as VerifierKey;

  it('is verified as in the example of the specification', () => {
    expect(openNote(specified, [foo])).toEqual({ text, verified: [{ key: foo, time: null }] });
    expect(openNote(Buffer.from(specified), [foo])).toMatchObject({ text });
  });

  it('is signed as by golang.org/x/mod/sumdb/note', () => {
    const peter = sound(
      parseSigningKey('PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz'),
    ) as SigningKey;
    const quote =
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    expect(signNote(quote, [peter])).toBe(
      `${quote}\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`,
    );
  });

  it('is worth nothing without a signature by a trusted key', () => {
    expect(openNote(specified, [])).toMatchObject({ fault: 'NotSigned' });
    expect(openNote(specified, [key('example.com/foo')])).toMatchObject({ fault: 'NotSigned' });
    expect(openNote(specified, [key('example.com/bar')])).toMatchObject({ fault: 'NotSigned' });
  });

  it('may be signed by several keys, of which the unknown ones are ignored', () => {
    const note = signNote(text, [key('stranger'), key('a'), key('b')]);
    expect(openNote(note, [key('b'), key('a')])).toMatchObject({
      verified: [{ key: { name: 'a' } }, { key: { name: 'b' } }],
    });
    expect(openNote(note, [key('b'), key('c')])).toMatchObject({ verified: [{ key: { name: 'b' } }] });
  });

  it('is worth nothing with a wrong signature in the name of a trusted key, even beside good ones', () => {
    const wrong = { ...signText('another text\n', key('a')) };
    const note = encodeNote({ text, signatures: [signText(text, key('b')), wrong] });
    expect(openNote(note, [key('a'), key('b')])).toMatchObject({ fault: 'BadSignature' });
    expect(openNote(note, [key('b')])).toMatchObject({ text });
  });

  it('counts a key once, however often it has signed', () => {
    const signature = signText(text, key('a'));
    expect(sound(openNote(encodeNote({ text, signatures: [signature, signature] }), [key('a')])).verified).toHaveLength(
      1,
    );
  });

  it('takes a newer signature of the same key in the place of the older one', () => {
    const witness = key('w', 'cosignature');
    const note = { text, signatures: [signText(text, key('a')), signText(text, witness, 1000)] };
    const renewed = addSignatures(note, [signText(text, witness, 2000)]);
    expect(renewed.signatures).toHaveLength(2);
    expect(openNote(encodeNote(renewed), [witness])).toMatchObject({ verified: [{ time: 2000 }] });
  });

  it('keeps empty lines inside its text', () => {
    const verse = 'one\n\n\ntwo\n\n';
    expect(openNote(signNote(verse, [key('a')]), [key('a')])).toMatchObject({ text: verse });
  });

  it('is refused whichever bit is flipped', () => {
    const note = signNote(text, [key('a')]);
    fc.assert(
      fc.property(oneBitOff(note), (bytes) => isFault(openNote(bytes, [key('a')]))),
      { numRuns: 500 },
    );
  });

  it('is refused with every bit of the key flipped', () => {
    const note = signNote(text, [key('a')]);
    const good = key('a');
    for (let bit = 0; bit < 256; bit++) {
      const publicKey = Buffer.from(good.publicKey);
      publicKey[bit >> 3] = (publicKey[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(openNote(note, [{ ...good, publicKey }])).toHaveProperty('fault');
    }
  });

  it.each([
    ['no signature', 'text\n\n'],
    ['no empty line', `text\n\u2014 a AAAAAAE=\n`],
    ['no newline at the end', `text\n\n\u2014 a AAAAAAE=`],
    ['no text', `\n\u2014 a AAAAAAE=\n`],
    ['a hyphen for the dash', 'text\n\n- a AAAAAAE=\n'],
    ['a signature without a key ID', 'text\n\n\u2014 a AAAA\n'],
    ['base64 that is none', 'text\n\n\u2014 a AAAAAAE\n'],
    ['base64 with unused bits set', 'text\n\n\u2014 a AAAAAAF=\n'],
    ['two spaces', 'text\n\n\u2014  a AAAAAAE=\n'],
    ['a space in the name', 'text\n\n\u2014 a b AAAAAAE=\n'],
    ['a plus in the name', 'text\n\n\u2014 a+b AAAAAAE=\n'],
    ['a tab', 'te\txt\n\n\u2014 a AAAAAAE=\n'],
    ['a carriage return', 'text\r\n\n\u2014 a AAAAAAE=\n'],
    ['half a surrogate pair', 'te\ud800xt\n\n\u2014 a AAAAAAE=\n'],
    ['nothing', ''],
  ])('is malformed with %s', (_, note) => {
    expect(parseNote(note)).toMatchObject({ fault: 'Malformed' });
  });

  it('has limits', () => {
    expect(parseNote('x'.repeat(noteLimits.bytes + 1))).toMatchObject({ fault: 'TooLarge' });
    const line = encodeSignatures([signText(text, key('a'))]);
    expect(parseNote(`${text}\n${line.repeat(100)}`)).toHaveProperty('signatures');
    expect(parseNote(`${text}\n${line.repeat(101)}`)).toMatchObject({ fault: 'TooLarge' });
    expect(parseNote(Buffer.from([0xff, 0x0a, 0x0a]))).toMatchObject({ fault: 'Malformed' });
  });

  it('of arbitrary bytes leads to a fault or a note, never to an error', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => typeof parseNote(bytes) === 'object'));
    const piece = fc.constantFrom('\n', '\n\n', '\u2014 ', 'a ', 'AAAAAAE=', '+', 'text', '\u2003', '\0', '=', 'A');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const note = parseNote(pieces.join(''));
        if (!isFault(note)) expect(encodeNote(note)).toBe(pieces.join(''));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a checkpoint', () => {
  const root = Buffer.alloc(32, 7);
  const specified = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
  const origin = 'chat.example/log';
  const log = key(origin);
  const next = key(origin, 'ed25519', 2);
  const witness = (n: number): SigningKey => key(`witness${n}.example`, 'cosignature', 10 + n);
  const policy: CheckpointPolicy = { origin, logKeys: [log, next], witnessKeys: [1, 2, 3].map(witness) };
  const text = encodeCheckpoint({ origin, size: 42, root });

  it('is written and read as in the specification', () => {
    const parsed = sound(parseCheckpoint(specified));
    expect(parsed).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20852163, extensions: [] });
    expect(encodeCheckpoint(parsed)).toBe(specified);
    expect(sound(parseCheckpoint(`${specified}ext 1\next 2\n`)).extensions).toEqual(['ext 1', 'ext 2']);
  });

  it.each([
    '',
    '\n',
    'a\n1\n',
    `a\n1\n${root.toString('base64')}`,
    `a\n01\n${root.toString('base64')}\n`,
    `a\n-1\n${root.toString('base64')}\n`,
    `\n1\n${root.toString('base64')}\n`,
    `a\n1\n${root.toString('base64')}\n\n`,
    `a\n1\n${root.toString('hex')}\n`,
    `a\n1e3\n${root.toString('base64')}\n`,
    `a\n0\n${root.toString('base64')}\n`,
    `a\n1\n${root.subarray(1).toString('base64')}\n`,
  ])('%j is none', (text) => {
    expect(parseCheckpoint(text)).toMatchObject({ fault: 'Malformed' });
  });

  it('of more leaves than can be counted is refused', () => {
    expect(parseCheckpoint(`a\n9007199254740992\n${root.toString('base64')}\n`)).toMatchObject({ fault: 'TooLarge' });
  });

  it('counts when it is signed by any trusted key whose name is the origin', () => {
    expect(openCheckpoint(signNote(text, [log]), policy)).toMatchObject({ size: 42, signedBy: [{ id: log.id }] });
    expect(openCheckpoint(signNote(text, [next]), policy)).toMatchObject({ size: 42 });
    expect(sound(openCheckpoint(signNote(text, [log, next]), policy)).signedBy).toHaveLength(2);
    const stranger = key(origin, 'ed25519', 9);
    expect(openCheckpoint(signNote(text, [stranger]), policy)).toMatchObject({ fault: 'NotSigned' });
    const certificates = key(`${origin}/certificates`);
    const trusting = { ...policy, logKeys: [certificates] };
    expect(openCheckpoint(signNote(text, [certificates]), trusting)).toMatchObject({ fault: 'NotSigned' });
    expect(openCheckpoint(signNote(text, [witness(1)]), policy)).toMatchObject({ fault: 'NotSigned' });
  });

  it('of another log is refused even when our key has signed it', () => {
    const foreign = encodeCheckpoint({ origin: 'other.example', size: 42, root });
    expect(openCheckpoint(signNote(foreign, [log]), policy)).toMatchObject({ fault: 'WrongOrigin' });
  });

  it('tells which witnesses cosigned it, and when', () => {
    const note = {
      text,
      signatures: [signText(text, log), signText(text, witness(2), 1_679_315_147), signText(text, witness(7), 1)],
    };
    expect(openCheckpoint(note, policy)).toMatchObject({
      cosignatures: [{ key: { name: 'witness2.example' }, time: 1_679_315_147 }],
    });
    expect(openCheckpoint(note, { ...policy, quorum: 1 })).toMatchObject({ size: 42 });
    expect(openCheckpoint(note, { ...policy, quorum: 2 })).toMatchObject({ fault: 'BelowQuorum' });
  });

  it('is refused with a cosignature whose time or text is another', () => {
    const cosignature = signText(text, witness(1), 1000);
    const signature = Buffer.from(cosignature.signature);
    signature.writeBigUInt64BE(1001n);
    for (const wrong of [
      { ...cosignature, signature },
      { ...cosignature, signature: signature.subarray(8) },
      signText(specified, witness(1), 1000),
    ]) {
      const note = { text, signatures: [signText(text, log), wrong] };
      expect(openCheckpoint(note, policy)).toMatchObject({ fault: 'BadSignature' });
      expect(verifyCosignatures(note, policy.witnessKeys ?? [])).toMatchObject({ fault: 'BadSignature' });
    }
  });

  it('counts a witness once, whatever number of keys it has', () => {
    const rotated = key('witness1.example', 'cosignature', 99);
    const note = { text, signatures: [signText(text, log), signText(text, witness(1), 5), signText(text, rotated, 6)] };
    const both = { ...policy, witnessKeys: [witness(1), rotated], quorum: 2 };
    expect(openCheckpoint(note, both)).toMatchObject({ fault: 'BelowQuorum' });
  });

  it('is refused whichever bit is flipped', () => {
    const note = encodeNote({ text, signatures: [signText(text, log), signText(text, witness(1), 5)] });
    const strict = { ...policy, witnessKeys: [witness(1)], quorum: 1 };
    expect(openCheckpoint(note, strict)).toHaveProperty('size');
    fc.assert(
      fc.property(oneBitOff(note), (bytes) => isFault(openCheckpoint(bytes, strict))),
      { numRuns: 500 },
    );
  });

  it('with limits on its lines', () => {
    expect(parseCheckpoint(`${specified}${'x\n'.repeat(17)}`)).toMatchObject({ fault: 'TooLarge' });
    expect(parseCheckpoint(`${specified}${'x'.repeat(1001)}\n`)).toMatchObject({ fault: 'TooLarge' });
    expect(() => encodeCheckpoint({ origin: 'a\nb', size: 1, root })).toThrow(RangeError);
    expect(() => encodeCheckpoint({ origin: 'a', size: 1.5, root })).toThrow(RangeError);
    expect(() => encodeCheckpoint({ origin: 'a', size: 1, root, extensions: [''] })).toThrow(RangeError);
  });
});
