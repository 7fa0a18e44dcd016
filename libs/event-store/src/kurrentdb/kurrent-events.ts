import type { BinaryEventData, RecordedEvent } from '@kurrent/kurrentdb-client';
import type { NewEvent, StoredEvent } from '../event-store.js';
import type { StreamNames } from './stream-names.js';

const encoder = new TextEncoder();

/**
 * An event as KurrentDB takes it: the bytes that were hashed, their hash in the metadata. It goes as binary data although
 * it is JSON, because the client would parse and rewrite JSON.
 */
export const toKurrent = ({ id, type, sealed, hash }: NewEvent): BinaryEventData => ({
  id,
  type,
  contentType: 'application/octet-stream',
  data: encoder.encode(sealed),
  metadata: encoder.encode(`{"hash":"${hash}"}`),
});

/**
 * An event of the log as KurrentDB gives it back; null for what it has written into the stream by itself, or what was
 * not written by this adapter.
 */
export function fromKurrent(event: RecordedEvent | undefined, names: StreamNames): StoredEvent | null {
  if (!event?.position || !(event.data instanceof Uint8Array)) return null;
  const { buffer, byteOffset, byteLength } = event.data;
  return {
    stream: names.inLog(event.streamId),
    revision: event.revision,
    position: event.position.commit,
    id: event.id,
    type: event.type,
    sealed: Buffer.from(buffer, byteOffset, byteLength).toString('utf8'),
    hash: (event.metadata as { hash?: string } | undefined)?.hash ?? '',
  };
}
