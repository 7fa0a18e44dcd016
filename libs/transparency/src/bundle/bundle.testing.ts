import { createCipheriv, createHash } from 'node:crypto';
import { encodeCheckpoint } from '../checkpoint.js';
import { type SigningKey, signingKey } from '../keys.js';
import { StoredTiles, sound } from '../naive-tree.testing.js';
import { encodeNote, type NoteSignature, signNote, signText } from '../note.js';
import { TreeBuilder } from '../tree-builder.js';
import { TreeReader } from '../tree-reader.js';
import { type BundleLine, certificatesKeyName, encodeBundleLine, manifestNoteText } from './bundle-format.js';
import { tarEnd, tarHeader, tarPadding } from './tar.js';

export const origin = 'chat.example/log';
const seeded = (name: string, seed: number, type: SigningKey['type'] = 'ed25519') =>
  signingKey(name, type, Buffer.alloc(32, seed));

export const keys = {
  log: seeded(origin, 1),
  certificates: seeded(certificatesKeyName(origin), 2),
  witness: seeded('witness.example', 3, 'cosignature'),
  strangerLog: seeded(origin, 4),
  strangerCertificates: seeded(certificatesKeyName(origin), 5),
};

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

export interface LoggedEvent {
  envelope: Buffer;
  key: Buffer | null;
  stream: string;
}

/** Events of three rooms and one account, taking turns, each chained to the one before it in its stream. */
export function someEvents(count: number): LoggedEvent[] {
  const heads = new Map<string, { revision: number; hash: string }>();
  return Array.from({ length: count }, (_, i) => {
    const stream = i % 7 === 3 ? 'user-ann' : `room-${'abc'[i % 3]}`;
    const head = heads.get(stream) ?? { revision: -1, hash: null };
    const key = i % 5 === 0 ? null : sha256(Buffer.from(`key ${i}`));
    const id = `00000000-0000-4000-8000-${`${i}`.padStart(12, '0')}`;
    const type = key ? 'MessagePosted' : 'MemberJoined';
    const data = key
      ? { messageId: id, sealed: seal(`{"text":"text ${i} ☕"}`, key, `${stream}|${id}|${type}`) }
      : { member: 'ann' };
    const event = { actor: 'ann', at: `2026-01-01T00:00:${`${i % 60}`.padStart(2, '0')}Z`, correlation: id, data, id };
    const envelope = envelopeOf({ ...event, prev: head.hash, revision: head.revision + 1, schema: 1, stream, type });
    heads.set(stream, { revision: head.revision + 1, hash: sha256(envelope).toString('hex') });
    return { envelope, key, stream };
  });
}

export const envelopeOf = (event: object): Buffer => Buffer.from(JSON.stringify(event));

export function seal(text: string, key: Buffer, associated: string): string {
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.alloc(12, 9)).setAAD(Buffer.from(associated));
  return Buffer.concat([Buffer.alloc(12, 9), cipher.update(text), cipher.final(), cipher.getAuthTag()]).toString(
    'base64url',
  );
}

/** A bundle before it is packed, so that tests can change any part of it. */
export interface BundleParts {
  lines: BundleLine[];
  /** What stands in the file instead of the encoded lines. */
  eventsText?: (text: string) => string;
  checkpointText: string;
  checkpointSigners: (text: string) => NoteSignature[];
  manifest: Record<string, unknown>;
  manifestSigner: SigningKey;
  others: [name: string, content: string][];
}

/** The parts of a sound bundle of the events for which `selected` holds. */
export async function bundleOf(
  events: LoggedEvent[],
  selected: (event: LoggedEvent, ordinal: number) => boolean,
): Promise<BundleParts> {
  const tree = new TreeBuilder();
  const tiles = new StoredTiles();
  tree.append(events.map(({ envelope }) => sha256(envelope)));
  tiles.store(tree.takeTiles());
  const reader = sound(TreeReader.of(events.length, tiles.read));
  const lines: BundleLine[] = [];
  const streams = new Set<string>();
  for (const [ordinal, event] of events.entries()) {
    if (!selected(event, ordinal)) continue;
    streams.add(event.stream);
    lines.push({
      envelope: event.envelope,
      key: event.key,
      ordinal,
      proof: sound(await reader.inclusionProof(ordinal)),
    });
  }
  const manifest = {
    format: 'verbatim-bundle/1',
    origin,
    size: tree.size,
    root: tree.root().toString('base64'),
    contiguous: true,
    fromStart: true,
  };
  return {
    lines,
    checkpointText: encodeCheckpoint({ origin, size: tree.size, root: tree.root() }),
    checkpointSigners: (text) => [signText(text, keys.log), signText(text, keys.witness, 1_700_000_000)],
    manifest: { ...manifest, ...counted(lines), streams: streams.size },
    manifestSigner: keys.certificates,
    others: [
      ['messages.csv', 'at,room,author,text\r\n'],
      ['transcript.html', '<!doctype html><title>Transcript</title>'],
    ],
  };
}

/** What the manifest says of these lines. */
export const counted = (lines: BundleLine[]) => ({
  events: lines.length,
  firstOrdinal: lines[0]?.ordinal ?? null,
  lastOrdinal: lines.at(-1)?.ordinal ?? null,
});

/** The files of a bundle, in order; the manifest lists them as they are. */
export function filesOf(parts: BundleParts): [name: string, content: Buffer][] {
  const text = parts.lines.map(encodeBundleLine).join('');
  const files: [string, Buffer][] = [
    [
      'checkpoint',
      Buffer.from(
        encodeNote({ text: parts.checkpointText, signatures: parts.checkpointSigners(parts.checkpointText) }),
      ),
    ],
    ['events.ndjson', Buffer.from(parts.eventsText?.(text) ?? text)],
    ...parts.others.map(([name, content]): [string, Buffer] => [name, Buffer.from(content)]),
  ];
  const listed = files.map(([name, content]) => ({
    name,
    bytes: content.length,
    sha256: sha256(content).toString('hex'),
  }));
  const manifest = Buffer.from(JSON.stringify({ files: listed, ...parts.manifest }));
  const signature = signNote(manifestNoteText(`${parts.manifest.origin}`, manifest), [parts.manifestSigner]);
  return [['manifest.json', manifest], ['manifest.json.sig', Buffer.from(signature)], ...files];
}

export const pack = (files: [name: string, content: Buffer][]): Buffer =>
  Buffer.concat([
    ...files.flatMap(([name, content]) => [tarHeader(name, content.length), content, tarPadding(content.length)]),
    tarEnd,
  ]);

/** A bundle as it comes from a disk or a network, in parts of any size. */
export async function* inParts(bundle: Buffer, bytes = 1000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bundle.length; at += bytes) yield bundle.subarray(at, at + bytes);
}
