import { hashOf, peek } from './envelope.js';
import { NO_STREAM, type StoredEvent } from './event-store.js';

/** The first place of a stream that is not as it was written, and what is wrong with it, as the end of a sentence. */
export interface BrokenPlace {
  readonly stream: string;
  readonly revision: bigint;
  readonly position: bigint;
  readonly fault: string;
}

interface ChainHead {
  readonly revision: bigint;
  readonly hash: string | null;
}

/** Ids of a generation; the last one to two of them are remembered. */
const GENERATION = 250_000;

/**
 * Checks the chains of all streams of a log, whose events it is given one after the other. Of each event: the text has
 * its hash; the text names the stream, revision, id and type under which it is stored; its revision follows the one
 * before, and so does `prev`; and no other event has its id.
 *
 * Needs no keys, for the chain covers the sealed form. In memory it keeps only the head of each stream, some 300 bytes,
 * and the ids of the last 250,000 events or more: an id that comes back after more than that goes unnoticed. What no
 * chain shows goes unnoticed as well: events cut off at the end of a stream, and a last event that was rewritten.
 */
export class ChainCheck {
  events = 0;
  /** In the order in which they were come upon, one for each stream. */
  readonly broken: BrokenPlace[] = [];
  /** Null for streams of which a broken place is known; what comes after it is not looked at. */
  private readonly heads = new Map<string, ChainHead | null>();
  private young = new Set<string>();
  private old = new Set<string>();

  get streams(): number {
    return this.heads.size;
  }

  /** Revision of the last event of each stream that was found intact. */
  *lastRevisions(): Generator<readonly [stream: string, revision: bigint]> {
    for (const [stream, head] of this.heads) if (head) yield [stream, head.revision];
  }

  add(event: StoredEvent): void {
    this.events++;
    const { stream, revision, position, hash } = event;
    const head = this.heads.get(stream);
    if (head === null) return;
    const fault = faultOf(event, head ?? beginning) ?? this.repeatedId(event.id);
    this.heads.set(stream, fault === null ? { revision, hash } : null);
    if (fault !== null) this.broken.push({ stream, revision, position, fault });
  }

  private repeatedId(id: string): string | null {
    if (this.young.has(id) || this.old.has(id)) return `its id ${id} is that of an earlier event`;
    if (this.young.size >= GENERATION) {
      this.old = this.young;
      this.young = new Set();
    }
    this.young.add(id);
    return null;
  }
}

const beginning: ChainHead = { revision: NO_STREAM, hash: null };

function faultOf({ stream, revision, id, type, hash, sealed }: StoredEvent, head: ChainHead): string | null {
  const due = head.revision + 1n;
  if (revision > due) return revision === due + 1n ? `revision ${due} is missing` : `revisions from ${due} are missing`;
  if (revision < due) return `it comes after revision ${head.revision}`;
  if (hashOf(sealed) !== hash) return 'its text does not have its hash';
  const envelope = peekOrNull(sealed);
  if (!envelope) return 'its text is no event';
  if (envelope.stream !== stream) return `its text is of the stream ${envelope.stream}`;
  if (BigInt(envelope.revision) !== revision) return `its text is of revision ${envelope.revision}`;
  if (envelope.id !== id) return `its text is of the event ${envelope.id}`;
  if (envelope.type !== type) return `its text is of the type ${envelope.type}`;
  if (envelope.prev !== head.hash) return 'its text does not name the hash of the event before it';
  return null;
}

function peekOrNull(sealed: string) {
  try {
    const envelope = peek(sealed);
    return Number.isSafeInteger(envelope?.revision) ? envelope : null;
  } catch {
    return null;
  }
}
