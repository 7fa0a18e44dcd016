import { appendLimits, type NewEvent, NO_STREAM } from './event-store.js';

/** Stands in no JSON text, for JSON escapes control characters (RFC 8259, 7), so that an adapter may put it between texts. */
export const separator = '\u001f';

/**
 * Refuses what no adapter stores: nothing at all, more than `appendLimits`, a place no stream has, or a text that cannot
 * be JSON. These are bugs of the caller, so it throws a RangeError. Returns the size of the events in bytes: the UTF-8 length of their sealed texts.
 */
export function checkAppend(expectedRevision: bigint, events: readonly NewEvent[]): number {
  if (expectedRevision < NO_STREAM) throw new RangeError(`There is no revision ${expectedRevision}.`);
  if (events.length === 0) throw new RangeError('An append needs at least one event.');
  if (events.length > appendLimits.events) {
    throw new RangeError(`${events.length} events in one append; ${appendLimits.events} are allowed.`);
  }
  let bytes = 0;
  for (const { sealed } of events) {
    if (sealed.includes(separator)) throw new RangeError('A sealed text is no JSON.');
    bytes += Buffer.byteLength(sealed);
  }
  if (bytes > appendLimits.bytes)
    throw new RangeError(`${bytes} bytes in one append; ${appendLimits.bytes} are allowed.`);
  return bytes;
}
