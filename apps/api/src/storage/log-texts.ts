import { type Recorded, roomStream } from '@verbatim/domain';
import type { EventStore, Sealer, StoredEvent } from '@verbatim/event-store';
import type { TextsOfLog } from '@verbatim/projections';
import { LRUCache } from 'lru-cache';

/** Characters of sealed events to cache. */
const MOST_CHARACTERS = 16_777_216;
/** The largest gap between wanted events that are read together, and the most events of one read. */
const GAP = 16;
const LONGEST_READ = 500;
const CONCURRENT_READS = 8;

/**
 * Message texts, read from the log. Only sealed events are cached, and opened for each reader, so that what was erased
 * meanwhile does not open.
 */
export class LogTexts implements TextsOfLog {
  private readonly known = new LRUCache<string, StoredEvent>({
    maxSize: MOST_CHARACTERS,
    sizeCalculation: ({ sealed }) => sealed.length + 200,
  });

  constructor(
    private readonly store: EventStore,
    private readonly sealer: Sealer,
  ) {}

  async of(room: string, revisions: readonly bigint[]): Promise<ReadonlyMap<bigint, string | null>> {
    const stream = roomStream(room);
    const found = new Map<bigint, StoredEvent>();
    const missing: bigint[] = [];
    for (const revision of revisions) {
      const event = this.known.get(`${stream}|${revision}`);
      if (event) found.set(revision, event);
      else missing.push(revision);
    }
    for (const event of await this.fetch(stream, missing)) found.set(event.revision, event);
    const opened = await this.sealer.open([...found.values()], { passing: true, gently: true });
    return new Map(opened.map((event) => [event.revision, textOf(event)]));
  }

  private async fetch(stream: string, revisions: readonly bigint[]): Promise<StoredEvent[]> {
    const wanted = new Set(revisions);
    const stretches = stretchesOf(revisions);
    const events: StoredEvent[] = [];
    for (let i = 0; i < stretches.length; i += CONCURRENT_READS) {
      const reads = stretches
        .slice(i, i + CONCURRENT_READS)
        .map(({ from, count }) => this.store.read(stream, from, count));
      for (const event of (await Promise.all(reads)).flat()) {
        if (!wanted.has(event.revision)) continue;
        this.known.set(`${stream}|${event.revision}`, event);
        events.push(event);
      }
    }
    return events;
  }
}

/** Revisions that are near each other are read together. */
function stretchesOf(revisions: readonly bigint[]): { from: bigint; count: number }[] {
  const sorted = [...new Set(revisions)].sort((one, other) => (one < other ? -1 : 1));
  const stretches: { from: bigint; count: number }[] = [];
  for (const revision of sorted) {
    const last = stretches.at(-1);
    const needed = last ? Number(revision - last.from) + 1 : 0;
    if (last && needed - last.count <= GAP && needed <= LONGEST_READ) last.count = needed;
    else stretches.push({ from: revision, count: 1 });
  }
  return stretches;
}

const textOf = (event: Recorded): string | null =>
  event.type === 'MessagePosted' || event.type === 'MessageEdited' ? event.data.text : null;
