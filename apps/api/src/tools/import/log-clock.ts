/** What a line of a log says about its time. */
export interface Stamp {
  /** In logs with dates; some omit the year. */
  readonly date?: { readonly year?: number; readonly month: number; readonly day: number };
  /** Seconds since midnight. */
  readonly seconds?: number;
  /** Minutes ahead of UTC, in logs that include it. */
  readonly offset?: number;
}

export interface ClockSettings {
  /** The day of the first line (YYYY-MM-DD) until the log names one; null if only the log has it. */
  readonly date: string | null;
  /** IANA name of the zone in which the log was written. */
  readonly timeZone: string;
}

const DAY_SECONDS = 86_400;
/** How far a clock may go back on the same day: the hour repeated at the end of summer time, with a margin. */
const SAME_DAY_SECONDS = 3 * 3_600;
/** How late a line may be across midnight. */
const LATE_SECONDS = 5 * 60;

/**
 * When each line was written, as RFC 3339 in UTC; null when neither a line nor a setting gives the day.
 *
 * Lines without a time get that of the line before, or at the beginning that of the first line with one. In logs with only times
 * of day, a clock that goes back by more than three hours has passed midnight. If it goes back by less, it was set back or lines
 * are out of order, and the day stays the same.
 */
export function timesOf(stamps: readonly (Stamp | null)[], { date, timeZone }: ClockSettings): string[] | null {
  const first = date ?? firstDateIn(stamps);
  if (first === null) return null;
  const clock = new LogClock(Date.parse(`${first}T00:00:00.000Z`), new LocalTime(timeZone));
  const times = stamps.map((stamp) => (stamp === null ? clock.now() : clock.read(stamp)));
  const begin = times.find((_, i) => stamps[i]?.seconds !== undefined) ?? clock.beginning();
  const firstStamped = stamps.findIndex((stamp) => stamp !== null);
  return times.map((time, i) => new Date(i < firstStamped || firstStamped < 0 ? begin : (time ?? begin)).toISOString());
}

function firstDateIn(stamps: readonly (Stamp | null)[]): string | null {
  for (const stamp of stamps) {
    const { year, month, day } = stamp?.date ?? {};
    if (year !== undefined && month !== undefined && day !== undefined) return dateText(year, month, day);
  }
  return null;
}

const dateText = (year: number, month: number, day: number): string =>
  `${`${year}`.padStart(4, '0')}-${`${month}`.padStart(2, '0')}-${`${day}`.padStart(2, '0')}`;

/** Follows the timestamps of a log. Instants are milliseconds since 1970. */
class LogClock {
  /** Seconds since midnight of the latest line with a time; null before the first. */
  private seconds: number | null = null;
  private latest: Moment | null = null;

  constructor(
    /** Midnight of the current day, as if the log's zone were UTC. */
    private midnight: number,
    private readonly local: LocalTime,
  ) {}

  /** The time of a line without one; null before the first line that has one. */
  now = (): number | null => this.latest?.instant ?? null;

  beginning = (): number => this.local.instantOf(this.midnight, null);

  read({ date, seconds, offset }: Stamp): number {
    if (date) {
      this.midnight = this.midnightOf(date);
      this.seconds = null;
    }
    let midnight = this.midnight;
    if (seconds !== undefined) {
      const before = this.seconds;
      const late = before !== null && seconds - before > DAY_SECONDS - LATE_SECONDS;
      if (before !== null && before - seconds > SAME_DAY_SECONDS) midnight = this.midnight += DAY_SECONDS * 1000;
      if (late) midnight -= DAY_SECONDS * 1000;
      else this.seconds = seconds;
    }
    const wall = midnight + (seconds ?? 0) * 1000;
    const instant = offset === undefined ? this.local.instantOf(wall, this.latest) : wall - offset * 60_000;
    this.latest = { wall, instant };
    return instant;
  }

  /** A date without a year is the one closest to the current day. */
  private midnightOf({ year, month, day }: NonNullable<Stamp['date']>): number {
    if (year !== undefined) return Date.UTC(year, month - 1, day);
    const current = new Date(this.midnight).getUTCFullYear();
    const candidates = [current - 1, current, current + 1].map((candidate) => Date.UTC(candidate, month - 1, day));
    const distance = (midnight: number) => Math.abs(midnight - this.midnight);
    return candidates.reduce((best, candidate) => (distance(candidate) < distance(best) ? candidate : best));
  }
}

/** When a line was written, and the wall-clock time then (milliseconds, as if the zone were UTC). */
interface Moment {
  readonly wall: number;
  readonly instant: number;
}

/** The wall clock of a time zone. */
class LocalTime {
  private readonly format: Intl.DateTimeFormat;
  private readonly offsets = new Map<number, number>();

  constructor(timeZone: string) {
    const date = { year: 'numeric', month: 'numeric', day: 'numeric' } as const;
    const time = { hour: 'numeric', minute: 'numeric', second: 'numeric', hourCycle: 'h23' } as const;
    this.format = new Intl.DateTimeFormat('en-US', { timeZone, calendar: 'gregory', era: 'short', ...date, ...time });
  }

  /**
   * The instant of a wall-clock time. In the hour repeated at the end of summer time it is the first one, until the clock goes
   * back. Times skipped in spring continue from before.
   */
  instantOf(wall: number, previous: Moment | null): number {
    const before = wall - this.offsetAt(wall - DAY_SECONDS * 1000);
    const after = wall - this.offsetAt(wall + DAY_SECONDS * 1000);
    if (before === after) return before;
    const shows = (instant: number) => instant + this.offsetAt(instant) === wall;
    if (!shows(before) || !shows(after)) return shows(after) ? after : before;
    const [first, second] = [Math.min(before, after), Math.max(before, after)];
    if (previous === null) return first;
    const fallenBack = previous.wall - wall > LATE_SECONDS * 1000;
    return fallenBack || previous.wall - previous.instant === wall - second ? second : first;
  }

  /** Milliseconds that the zone is ahead of UTC. It changes only at quarters of an hour. */
  private offsetAt(instant: number): number {
    const quarter = Math.floor(instant / 900_000);
    let offset = this.offsets.get(quarter);
    if (offset === undefined) {
      offset = this.lookUpOffset(quarter * 900_000);
      this.offsets.set(quarter, offset);
    }
    return offset;
  }

  private lookUpOffset(instant: number): number {
    const parts = Object.fromEntries(this.format.formatToParts(instant).map(({ type, value }) => [type, value]));
    const number = (type: string) => Number(parts[type]);
    const [year, month, day] = [number('year'), number('month'), number('day')];
    return Date.UTC(year, month - 1, day, number('hour'), number('minute'), number('second')) - instant;
  }
}
