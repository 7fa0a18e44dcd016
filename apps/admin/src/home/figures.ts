/** What the service tells of itself at one moment; figures it does not give are null. */
export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly ready: 'ready' | 'not ready' | 'out of reach';
  /** Why it is not ready, in the words of the service. */
  readonly detail: string | null;
  readonly figures: Readonly<Record<string, number>>;
}

/** A point of a plot. */
export interface Point {
  readonly at: number;
  readonly value: number;
}

/** Figures without labels, in the form of Prometheus, by name. */
export function readFigures(text: string): Record<string, number> {
  const figures: Record<string, number> = {};
  for (const line of text.split('\n')) {
    const [, name, value] = /^([a-zA-Z_:][\w:]*) (\S+)(?: \d+)?$/.exec(line) ?? [];
    if (name !== undefined && Number.isFinite(Number(value))) figures[name] = Number(value);
  }
  return figures;
}

/** One figure over time. */
export const course = (samples: readonly Sample[], name: string): Point[] =>
  samples.flatMap(({ at, figures }) => (figures[name] === undefined ? [] : [{ at, value: figures[name] }]));

/**
 * How much a figure that only grows has grown each minute, over `span` milliseconds before each sample. A figure that has
 * fallen was begun anew by a restart.
 */
export function perMinute(samples: readonly Sample[], name: string, span = 60_000): Point[] {
  const points = course(samples, name);
  let start = 0;
  return points.flatMap((point, place) => {
    while ((points[start]?.at ?? 0) < point.at - span) start += 1;
    let grown = 0;
    for (let i = start + 1; i <= place; i += 1)
      grown += Math.max(0, (points[i]?.value ?? 0) - (points[i - 1]?.value ?? 0));
    const minutes = (point.at - (points[start]?.at ?? point.at)) / 60_000;
    return minutes > 0 ? [{ at: point.at, value: Math.round(grown / minutes) }] : [];
  });
}

/**
 * What one turn took on the average over `span` milliseconds before the last sample: from the sum of what all took, and their
 * number. Null if there was none.
 */
export function lately(samples: readonly Sample[], sum: string, count: string, span = 60_000): number | null {
  const last = samples.at(-1);
  const first = samples.find(({ at }) => at >= (last?.at ?? 0) - span);
  const grown = (name: string) => (last?.figures[name] ?? 0) - (first?.figures[name] ?? 0);
  return grown(count) > 0 ? grown(sum) / grown(count) : null;
}

/** What the service stands on, by the names under which it tells what is missing. */
const standsOn = { database: 'database', store: 'event store', feed: 'feed', read_models: 'read models' } as const;

export interface Part {
  readonly name: keyof typeof standsOn;
  readonly up: boolean;
}

/** Which of what the service stands on is up; nothing is known of a service that does not answer or is ending. */
export function parts({ ready, detail }: Sample): Part[] {
  if (ready === 'out of reach' || detail?.includes('shutting down')) return [];
  return Object.entries(standsOn).map(([name, told]) => ({
    name: name as Part['name'],
    up: ready === 'ready' || !detail?.includes(told),
  }));
}

/** Share of one processor that was used between the last two samples, in percent. */
export function processor(samples: readonly Sample[]): number | null {
  const points = course(samples.slice(-2), 'process_cpu_seconds_total');
  const [a, b] = points;
  return a && b && b.at > a.at ? Math.round(((b.value - a.value) / (b.at - a.at)) * 100_000) : null;
}
