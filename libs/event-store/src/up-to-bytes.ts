import type { StoredEvent } from './event-store.js';

/** The first of these events, up to and including the one at which their sealed texts (UTF-8) reach `maxBytes`. */
export function upToBytes(events: readonly StoredEvent[], maxBytes = Number.POSITIVE_INFINITY): StoredEvent[] {
  let bytes = 0;
  const end = events.findIndex(({ sealed }) => {
    bytes += Buffer.byteLength(sealed);
    return bytes >= maxBytes;
  });
  return events.slice(0, end < 0 ? events.length : end + 1);
}
