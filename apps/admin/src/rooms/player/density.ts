/** An event of the room at its time. */
export interface Point {
  readonly revision: number;
  readonly at: string;
}

/**
 * How many events there were in each of some equal spans of time from the first point to the last. Between two points events
 * count as evenly spread.
 */
export function density(points: readonly Point[], spans: number): number[] {
  const counts = new Array<number>(spans).fill(0);
  const times = points.map(({ at }) => Date.parse(at));
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  const span = (last - first) / spans || 1;
  const spanOf = (time: number) => Math.min(spans - 1, Math.max(0, Math.floor((time - first) / span)));
  for (let i = 1; i < points.length; i++) {
    const events = (points[i]?.revision ?? 0) - (points[i - 1]?.revision ?? 0);
    const [from = 0, to = 0] = [times[i - 1], times[i]];
    const [begin, end] = [spanOf(from), spanOf(to)];
    for (let n = begin; n <= end; n++) {
      const shared = Math.min(to, first + (n + 1) * span) - Math.max(from, first + n * span);
      counts[n] =
        (counts[n] ?? 0) + (begin === end || to <= from ? events : (events * Math.max(0, shared)) / (to - from));
      if (to <= from) break;
    }
  }
  return counts;
}
