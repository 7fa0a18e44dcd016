import { appendLimits, type NewEvent, NO_STREAM } from './event-store.js';

/**
 * Refuses what no adapter stores: nothing at all, more than `appendLimits`, or a place no stream has. These are bugs of
 * the caller, so it throws a RangeError. Returns the size of the events in bytes: the UTF-8 length of their sealed texts.
 */
export function checkAppend(expectedRevision: bigint, events: readonly NewEvent[]): number {
  if (expectedRevision < NO_STREAM) throw new RangeError(`There is no revision ${expectedRevision}.`);
  if (events.length === 0) throw new RangeError('An append needs at least one event.');
  if (events.length > appendLimits.events) {
    throw new RangeError(`${events.length} events in one append; ${appendLimits.events} are allowed.`);
  }
  const bytes = events.reduce((sum, event) => sum + Buffer.byteLength(event.sealed), 0);
  if (bytes > appendLimits.bytes)
    throw new RangeError(`${bytes} bytes in one append; ${appendLimits.bytes} are allowed.`);
  return bytes;
}
