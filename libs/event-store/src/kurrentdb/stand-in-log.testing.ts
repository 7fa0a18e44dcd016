/** An event as the stand-in keeps it. */
export interface Kept extends Proposed {
  readonly stream: string;
  readonly revision: bigint;
  readonly position: bigint;
  /** When it was written, in ticks of 100 ns since 1970. */
  readonly created: string;
}

export interface Proposed {
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export type Outcome =
  | { readonly kind: 'written'; readonly revision: bigint; readonly position: bigint }
  /** `current` is the last revision of the stream, -1 for none. */
  | { readonly kind: 'wrong revision'; readonly current: bigint }
  | { readonly kind: 'tombstoned' }
  | { readonly kind: 'too large' };

/** Bytes of the events of an append, more of which KurrentDB refuses unless it is configured otherwise. */
export const MOST_BYTES = 1_048_576;

/** After so many appends of others there is an event of the server's own. */
const CHATTER = 5;

interface Stream {
  readonly events: Kept[];
  /** Events before this revision are not shown; past the last one when the stream was deleted. */
  shownFrom: bigint;
  tombstoned: boolean;
}

/**
 * The log of a stand-in for KurrentDB, in memory. Positions are where a record would begin in a file, so they have gaps,
 * and a number in between is no position. Now and then the server has something to note in a stream of its own.
 */
export class StandInLog {
  private readonly all: Kept[] = [];
  private readonly streams = new Map<string, Stream>();
  private readonly listeners = new Set<(event: Kept) => void>();
  private end = 0n;
  private appends = 0;

  constructor() {
    this.chatter();
  }

  append(stream: string, expected: bigint | 'any', events: readonly Proposed[]): Outcome {
    const { events: standing, tombstoned } = this.stream(stream);
    const current = BigInt(standing.length - 1);
    if (tombstoned) return { kind: 'tombstoned' };
    if (events.reduce((sum, event) => sum + sizeOf(event), 0) > MOST_BYTES) return { kind: 'too large' };
    if (expected !== 'any' && expected !== current && !(expected === -1n && this.isDeleted(stream)))
      return this.writtenBefore(stream, expected, events) ?? { kind: 'wrong revision', current };
    if (++this.appends % CHATTER === 0) this.chatter();
    let position = this.end;
    for (const event of events) position = this.write(stream, event);
    return { kind: 'written', revision: BigInt(standing.length - 1), position };
  }

  /** Null for a stream that there is not, or no more. */
  readStream(
    name: string,
    from: bigint | 'end',
    forwards: boolean,
    count: number,
  ): readonly Kept[] | null | 'tombstoned' {
    const stream = this.streams.get(name);
    if (stream?.tombstoned) return 'tombstoned';
    if (!stream || this.isDeleted(name)) return null;
    const shown = stream.events.slice(Number(stream.shownFrom));
    if (forwards) return shown.filter(({ revision }) => from !== 'end' && revision >= from).slice(0, count);
    return shown
      .filter(({ revision }) => from === 'end' || revision <= from)
      .reverse()
      .slice(0, count);
  }

  /** Null for a start at which no event begins. Backwards, the start is not included. */
  readAll(
    from: bigint | 'start' | 'end',
    forwards: boolean,
    count: number,
    wanted: (event: Kept) => boolean,
  ): Kept[] | null {
    const start = this.placeOf(from);
    if (start === null) return null;
    const found: Kept[] = [];
    for (let i = forwards ? start : start - 1; i >= 0 && i < this.all.length && found.length < count; ) {
      const event = this.all[i] as Kept;
      if (wanted(event)) found.push(event);
      i += forwards ? 1 : -1;
    }
    return found;
  }

  /** Hides all events so far. The next ones go on with the revisions, also those that expect no stream. */
  delete(name: string): bigint {
    const stream = this.stream(name);
    stream.shownFrom = BigInt(stream.events.length);
    return this.end;
  }

  /** Deletes for good: nothing can be appended any more. */
  tombstone(name: string): bigint {
    this.stream(name).tombstoned = true;
    return this.end;
  }

  /** Forgets everything from a position on, as a server does that was restored from a backup. */
  cutFrom(position: bigint): void {
    const kept = this.all.filter((event) => event.position < position);
    this.all.length = 0;
    this.streams.clear();
    for (const event of kept) {
      this.all.push(event);
      this.stream(event.stream).events.push(event);
    }
    this.end = position;
  }

  /** Calls `hear` with every event from now on; ends when the returned function is called. */
  listen(hear: (event: Kept) => void): () => void {
    this.listeners.add(hear);
    return () => this.listeners.delete(hear);
  }

  private stream(name: string): Stream {
    const stream = this.streams.get(name) ?? { events: [], shownFrom: 0n, tombstoned: false };
    this.streams.set(name, stream);
    return stream;
  }

  private isDeleted(name: string): boolean {
    const stream = this.streams.get(name);
    return stream !== undefined && stream.shownFrom > 0n && stream.shownFrom === BigInt(stream.events.length);
  }

  /** An append whose ids all stand at their places has succeeded before. */
  private writtenBefore(name: string, expected: bigint, events: readonly Proposed[]): Outcome | null {
    const place = Number(expected) + 1;
    const standing = this.stream(name).events.slice(place, place + events.length);
    const last = standing.at(-1);
    if (!last || !events.every(({ id }, i) => id === standing[i]?.id)) return null;
    return { kind: 'written', revision: last.revision, position: last.position };
  }

  private write(name: string, event: Proposed): bigint {
    const { events } = this.stream(name);
    const created = `${BigInt(Date.now()) * 10_000n}`;
    const kept = { ...event, stream: name, revision: BigInt(events.length), position: this.end, created };
    this.end += BigInt(100 + 2 * name.length + sizeOf(event));
    events.push(kept);
    this.all.push(kept);
    for (const hear of this.listeners) hear(kept);
    return kept.position;
  }

  private chatter(): void {
    const bytes = new Uint8Array(10);
    const id = crypto.randomUUID();
    this.write('$stats-0', {
      id,
      type: '$statsCollected',
      contentType: 'application/json',
      data: bytes,
      metadata: bytes,
    });
  }

  private placeOf(position: bigint | 'start' | 'end'): number | null {
    if (position === 'start') return 0;
    if (position === 'end' || position === this.end) return this.all.length;
    let [low, high] = [0, this.all.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.all[middle] as Kept).position < position) low = middle + 1;
      else high = middle;
    }
    return this.all[low]?.position === position ? low : null;
  }
}

const sizeOf = ({ data, metadata, type }: Proposed): number => data.length + metadata.length + 2 * type.length;
