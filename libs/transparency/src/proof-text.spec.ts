import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeCheckpoint } from './checkpoint.js';
import { isFault } from './fault.js';
import { signingKey } from './keys.js';
import { entriesFrom, entry, StoredTiles, sound } from './naive-tree.testing.js';
import { encodeNote, encodeSignatures, signNote, signText } from './note.js';
import { encodeLogProof, parseLogProof, verifyLogProof } from './proof-text.js';
import { TreeBuilder } from './tree-builder.js';
import { TreeReader } from './tree-reader.js';
import {
  addCheckpointLimits,
  encodeAddCheckpoint,
  encodeWitnessAnswer,
  MAX_WITNESS_ANSWER_BYTES,
  parseAddCheckpoint,
  parseWitnessAnswer,
} from './witness.js';

const origin = 'chat.example/log';
const log = signingKey(origin, 'ed25519', Buffer.alloc(32, 1));
const witness = signingKey('witness.example', 'cosignature', Buffer.alloc(32, 2));
const policy = { origin, logKeys: [log], witnessKeys: [witness], quorum: 1 };

const tree = new TreeBuilder();
const tiles = new StoredTiles();
tree.append(entriesFrom(0, 700));
tiles.store(tree.takeTiles());
const text = encodeCheckpoint({ origin, size: 700, root: tree.root() });
const checkpoint = encodeNote({ text, signatures: [signText(text, log), signText(text, witness, 1_700_000_000)] });
const reader = sound(TreeReader.of(700, tiles.read));
const proofOf = async (index: number): Promise<string> =>
  encodeLogProof({ index, hashes: sound(await reader.inclusionProof(index)), checkpoint });

describe('the text of a proof', () => {
  it('shows to anyone with the keys that the log holds an entry', async () => {
    const proof = await proofOf(345);
    expect(proof.startsWith('c2sp.org/tlog-proof@v1\nindex 345\n')).toBe(true);
    expect(verifyLogProof(proof, entry(345), policy)).toMatchObject({
      index: 345,
      checkpoint: { size: 700, cosignatures: [{ time: 1_700_000_000 }] },
    });
  });

  it('does not show it for another entry, index, key or quorum', async () => {
    const proof = await proofOf(345);
    expect(verifyLogProof(proof, entry(346), policy)).toMatchObject({ fault: 'ProofInvalid' });
    expect(verifyLogProof(proof.replace('index 345', 'index 346'), entry(345), policy)).toMatchObject({
      fault: 'ProofInvalid',
    });
    expect(verifyLogProof(proof.replace('index 345', 'index 700'), entry(345), policy)).toMatchObject({
      fault: 'OutOfRange',
    });
    const stranger = signingKey(origin, 'ed25519', Buffer.alloc(32, 3));
    expect(verifyLogProof(proof, entry(345), { ...policy, logKeys: [stranger] })).toMatchObject({ fault: 'NotSigned' });
    expect(verifyLogProof(proof, entry(345), { ...policy, quorum: 2 })).toMatchObject({ fault: 'BelowQuorum' });
  });

  it('carries extra data that nobody has signed', async () => {
    const hashes = sound(await reader.inclusionProof(0));
    const proof = encodeLogProof({ index: 0, hashes, checkpoint, extra: Buffer.from('hello') });
    expect(proof).toContain('\nextra aGVsbG8=\nindex 0\n');
    expect(parseLogProof(proof)).toMatchObject({ extra: Buffer.from('hello') });
    expect(verifyLogProof(proof, entry(0), policy)).toMatchObject({ index: 0 });
  });

  it('is refused whichever bit is flipped', async () => {
    const proof = await proofOf(345);
    fc.assert(
      fc.property(fc.nat(Buffer.byteLength(proof) * 8 - 1), (bit) => {
        const bytes = Buffer.from(proof);
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
        return isFault(verifyLogProof(bytes.toString('utf8'), entry(345), policy));
      }),
      { numRuns: 1000 },
    );
  });

  it('is refused when cut, or with lines that do not belong there', async () => {
    const proof = await proofOf(345);
    for (let length = 0; length < proof.length; length += 7)
      expect(verifyLogProof(proof.slice(0, length), entry(345), policy)).toHaveProperty('fault');
    for (const [from, to] of [
      ['@v1', '@v2'],
      ['index 345', 'index 0345'],
      ['index 345', 'index 9007199254740993'],
      ['index 345', 'extra !\nindex 345'],
      ['index 345', 'index 345\nindex 345'],
      ['index 345', `index 345${`\n${'A'.repeat(43)}=`.repeat(64)}`],
    ] as const)
      expect(parseLogProof(proof.replace(from, to)), to).toHaveProperty('fault');
    expect(parseLogProof('x'.repeat(1_000_000))).toMatchObject({ fault: 'TooLarge' });
  });
});

describe('the witness protocol', () => {
  it('reads the request that it writes', async () => {
    const proof = sound(await reader.consistencyProof(500));
    const body = encodeAddCheckpoint({ oldSize: 500, proof, checkpoint });
    expect(body.startsWith('old 500\n')).toBe(true);
    expect(parseAddCheckpoint(body)).toEqual({ oldSize: 500, proof, checkpoint });
    const first = encodeAddCheckpoint({ oldSize: 0, proof: [], checkpoint });
    expect(first.startsWith(`old 0\n\n${origin}\n`)).toBe(true);
    expect(parseAddCheckpoint(first)).toEqual({ oldSize: 0, proof: [], checkpoint });
  });

  it('refuses requests that are none', () => {
    for (const body of [
      '',
      'old 1\n',
      'old 01\n\nx',
      'new 1\n\nx',
      `old 1\nAAAA\n\n${checkpoint}`,
      `old -1\n\n${checkpoint}`,
      'old 1\n\nx',
    ])
      expect(parseAddCheckpoint(body), body).toMatchObject({ fault: 'Malformed' });
    expect(parseAddCheckpoint('x'.repeat(addCheckpointLimits.bytes + 1))).toMatchObject({ fault: 'TooLarge' });
    const proof = Array.from({ length: 64 }, () => tree.root());
    expect(parseAddCheckpoint(encodeAddCheckpoint({ oldSize: 1, proof, checkpoint }))).toMatchObject({
      fault: 'TooLarge',
    });
  });

  it('reads the answers that a witness may give', () => {
    const lines = encodeSignatures([signText(text, witness, 5)]);
    const answers = [
      { answer: 'conflict', size: 17 },
      { answer: 'unknown-log' },
      { answer: 'forbidden' },
      { answer: 'inconsistent' },
      { answer: 'bad-request' },
    ] as const;
    for (const answer of answers) {
      const { status, contentType, body } = encodeWitnessAnswer(answer);
      expect(parseWitnessAnswer(status, contentType, body)).toEqual(answer);
    }
    const cosigned = encodeWitnessAnswer({ answer: 'cosigned', lines });
    expect(parseWitnessAnswer(cosigned.status, cosigned.contentType, cosigned.body)).toMatchObject({
      answer: 'cosigned',
      signatures: [{ name: 'witness.example', keyId: witness.id }],
    });
  });

  it.each([
    [200, 'text/plain', ''],
    [200, 'text/html', '<html>login</html>'],
    [200, 'text/plain', signNote('a\n', [log])],
    [409, 'text/plain', '17\n'],
    [409, null, '17\n'],
    [409, 'text/x.tlog.size', '17'],
    [409, 'text/x.tlog.size', '017\n'],
    [409, 'text/x.tlog.size', '-1\n'],
    [409, 'text/x.tlog.size', '99999999999999999999\n'],
    [409, 'text/x.tlog.size', 'many\n'],
    [201, 'text/plain', ''],
    [302, 'text/plain', ''],
    [429, 'text/plain', ''],
    [500, 'text/plain', 'oops'],
    [200, 'text/plain', 'x'.repeat(MAX_WITNESS_ANSWER_BYTES + 1)],
  ])('makes nothing of status %s, type %s and body %s', (status, type, body) => {
    expect(parseWitnessAnswer(status, type, body)).toHaveProperty('fault');
  });
});
