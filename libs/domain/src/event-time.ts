/** How far the clocks of replicas may differ, in milliseconds. A larger difference means that a clock was wrong. */
export const CLOCK_TOLERANCE_MS = 60_000;

/** When an event is recorded. */
export interface EventTime {
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string;
  /** Only after a clock was wrong: how many milliseconds `at` is before that of the previous event. */
  readonly clockBackMs?: number;
}

/**
 * The time of the next event of a stream whose last event has the time `last` (empty for a new stream). Times do not go back because
 * clocks of replicas differ a little. They return to the clock if the last event was clearly recorded by a wrong one, so
 * that a stream does not stay in the future. The order of events is that of their revisions, never that of times.
 */
export function eventTime(now: string, last: string): EventTime {
  if (now >= last) return { at: now };
  const clockBackMs = Date.parse(last) - Date.parse(now);
  return clockBackMs <= CLOCK_TOLERANCE_MS ? { at: last } : { at: now, clockBackMs };
}
