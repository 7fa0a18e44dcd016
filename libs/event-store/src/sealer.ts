import type { Recorded } from '@verbatim/domain';
import {
  type Draft,
  eventKey,
  keyNameOf,
  openEventWith,
  type Place,
  peek,
  recordedFrom,
  type StoredEnvelope,
  sealEvent,
  tryToOpen,
} from './envelope.js';
import type { NewEvent, StoredEvent } from './event-store.js';
import type { KeyRing } from './key-ring.js';
import { Slice } from './slice.js';

/**
 * Opened events are kept, so that the feed, the mailboxes and the projectors of one process open each event once. They
 * are kept in two generations of at most so many events; when the younger is full, the older is dropped as a whole.
 */
const GENERATION = 4_096;
/** Characters that the sealed texts of a generation may have together: long messages leave room for fewer. */
const CHARACTERS = 8_388_608;

/** An event sealed or opened lately. Its places in the log are known when it is first read from there. */
interface Remembered {
  sealed: { readonly draft: Draft; readonly prev: string | null } | null;
  event: Recorded | null;
}

/** An event, and what opens `data.sealed` of it alone; null where nothing is sealed, it is hidden, or its key was destroyed. */
export interface Disclosed {
  readonly event: Recorded;
  readonly key: Buffer | null;
}

/** Turns decided events into sealed, chained ones, and stored ones back into what they say. */
export class Sealer {
  private young = new Map<string, Remembered>();
  private old = new Map<string, Remembered>();
  /** Characters of the younger generation. */
  private characters = 0;

  /** How often everything was forgotten: what was opened before is not remembered after. */
  private forgettings = 0;
  private readonly shields = new Map<string, (envelope: StoredEnvelope) => boolean>();

  constructor(private readonly keys: KeyRing) {}

  /** From here on this process opens no event that `hides` tells, whatever keys there are, until `unshield`. */
  shield(id: string, hides: (envelope: StoredEnvelope) => boolean): void {
    this.shields.set(id, hides);
    this.forget();
  }

  unshield(id: string): void {
    // Keys may have been fetched between their hiding and their destruction.
    if (this.shields.delete(id)) this.forget();
  }

  /** Uses the keys of a stream anew, as the vault has them now. */
  renew(stream: string): void {
    this.keys.forget(`${stream}|`);
  }

  private forget(): void {
    this.forgettings++;
    this.keys.forget();
    this.old = new Map();
    this.young = new Map();
    this.characters = 0;
  }

  /** Seals a batch that follows the event with hash `prev` at `revision` - 1 of `stream`, each chained to the one before. */
  async seal(stream: string, revision: bigint, prev: string | null, drafts: readonly Draft[]): Promise<NewEvent[]> {
    if (drafts.some(({ type }) => type === 'TextsErased')) this.renew(stream);
    const names = drafts.map((draft) => keyNameOf(stream, draft));
    const keys = await this.keys.obtain(names.filter((name) => name !== null));
    let place: Place = { stream, revision, prev };
    return drafts.map((draft, i) => {
      const event = sealEvent(draft, place, keys.get(names[i] ?? '') ?? null);
      this.remember(event, { sealed: { draft, prev: place.prev }, event: null });
      place = { stream, revision: place.revision + 1n, prev: event.hash };
      return event;
    });
  }

  /**
   * Opens stored events, in their order. Asks the vault only for keys of events that this process has not seen lately.
   * `passing`: they are somebody's reading of the past, to which nobody else will come back. `gently`: everything else gets
   * its turn while many or long ones are opened.
   */
  async open(stored: readonly StoredEvent[], { passing = false, gently = false } = {}): Promise<Recorded[]> {
    // Recalled before anything is awaited or opened, which may push events out of the memory.
    const recalled = stored.map((event) => this.recall(event));
    const unknown = stored.filter((_, i) => !recalled[i]);
    if (unknown.length === 0) return recalled as Recorded[];
    const opened = (await this.openUnknown(unknown, passing, gently)).values();
    return recalled.map((event) => event ?? (opened.next().value as Recorded));
  }

  private async openUnknown(stored: readonly StoredEvent[], passing: boolean, gently: boolean): Promise<Recorded[]> {
    const before = this.forgettings;
    const envelopes = stored.map((event) => peek(event.sealed));
    const names = stored.map(({ stream }, i) => keyNameOf(stream, envelopes[i] as StoredEnvelope));
    const keys = await this.keys.find(names.filter((name) => name !== null));
    const opened: (Recorded | null)[] = [];
    const slice = new Slice();
    for (const [i, event] of stored.entries()) {
      const envelope = envelopes[i] as StoredEnvelope;
      const key = keys.get(names[i] ?? '');
      const shown = key && !this.isHidden(envelope);
      opened.push(tryToOpen(event, shown ? eventKey(key, envelope.id) : null, envelope));
      if (gently && slice.isOver) await slice.next();
    }
    const closed = [...opened.keys()].filter((i) => opened[i] === null);
    if (closed.length > 0) await this.openWithSpareKeys(stored, envelopes, names, closed, opened);
    if (!passing && before === this.forgettings)
      for (const [i, event] of stored.entries()) this.remember(event, { sealed: null, event: opened[i] ?? null });
    return opened as Recorded[];
  }

  /** Opens the few events that the keys with their names do not open; erased ones stay without their personal fields. */
  private async openWithSpareKeys(
    stored: readonly StoredEvent[],
    envelopes: readonly StoredEnvelope[],
    names: readonly (string | null)[],
    closed: readonly number[],
    opened: (Recorded | null)[],
  ): Promise<void> {
    const asked = closed.filter((i) => !this.isHidden(envelopes[i] as StoredEnvelope));
    const spare = await this.keys.spare(
      asked.map((i) => names[i] ?? ''),
      asked.map((i) => (envelopes[i] as StoredEnvelope).id),
    );
    for (const i of closed) {
      const [event, envelope] = [stored[i] as StoredEvent, envelopes[i] as StoredEnvelope];
      const retired = spare.retired.get(names[i] ?? '');
      const own = spare.events.get(envelope.id) ?? (retired ? eventKey(retired, envelope.id) : null);
      opened[i] = openEventWith(event, this.isHidden(envelope) ? null : own, envelope);
    }
  }

  /** What opens `data.sealed` of this one event; null if nothing is sealed, it is hidden, or its key was destroyed. */
  async ownKey(stored: StoredEvent): Promise<Buffer | null> {
    const envelope = peek(stored.sealed);
    const name = envelope.data.sealed === undefined ? null : keyNameOf(stored.stream, envelope);
    if (name === null || this.isHidden(envelope)) return null;
    const [whole, spare] = await Promise.all([this.keys.find([name]), this.keys.spare([name], [envelope.id])]);
    const [key, retired] = [whole.get(name), spare.retired.get(name)];
    const candidates = [
      key && eventKey(key, envelope.id),
      spare.events.get(envelope.id),
      retired && eventKey(retired, envelope.id),
    ];
    const own = candidates.find((candidate) => candidate && tryToOpen(stored, candidate, envelope));
    return own && !this.isHidden(envelope) ? own : null;
  }

  /** The same for many events at once, each with what it says. Everything else gets its turn in between. */
  async disclose(stored: readonly StoredEvent[]): Promise<Disclosed[]> {
    const envelopes = stored.map(({ sealed }) => peek(sealed));
    const names = envelopes.map((envelope, i) =>
      envelope.data.sealed === undefined ? null : keyNameOf((stored[i] as StoredEvent).stream, envelope),
    );
    const keys = await this.keys.find(names.filter((name) => name !== null));
    const closed: number[] = [];
    const slice = new Slice();
    const disclosed: Disclosed[] = [];
    for (const [i, event] of stored.entries()) {
      const envelope = envelopes[i] as StoredEnvelope;
      const key = keys.get(names[i] ?? '');
      const own = key && !this.isHidden(envelope) ? eventKey(key, envelope.id) : null;
      const opened = own && tryToOpen(event, own, envelope);
      disclosed.push({ event: opened ?? openEventWith(event, null, envelope), key: opened && own });
      if (!opened && names[i]) closed.push(i);
      if (slice.isOver) await slice.next();
    }
    const asked = closed.filter((i) => !this.isHidden(envelopes[i] as StoredEnvelope));
    if (asked.length === 0) return disclosed;
    const spare = await this.keys.spare(
      asked.map((i) => names[i] ?? ''),
      asked.map((i) => (envelopes[i] as StoredEnvelope).id),
    );
    for (const i of asked) {
      const [event, envelope] = [stored[i] as StoredEvent, envelopes[i] as StoredEnvelope];
      const retired = spare.retired.get(names[i] ?? '');
      const candidates = [spare.events.get(envelope.id), retired && eventKey(retired, envelope.id)];
      const own = candidates.find((candidate) => candidate && tryToOpen(event, candidate, envelope));
      if (own && !this.isHidden(envelope)) disclosed[i] = { event: openEventWith(event, own, envelope), key: own };
    }
    return disclosed;
  }

  private isHidden(envelope: StoredEnvelope): boolean {
    for (const hides of this.shields.values()) if (hides(envelope)) return true;
    return false;
  }

  private recall(stored: StoredEvent): Recorded | undefined {
    const known = this.young.get(stored.hash) ?? this.old.get(stored.hash);
    if (known?.sealed) {
      known.event = recordedFrom(known.sealed.draft, known.sealed.prev, stored);
      known.sealed = null;
    }
    return known?.event ?? undefined;
  }

  private remember({ hash, sealed: { length } }: NewEvent, opened: Remembered): void {
    if (this.young.size >= GENERATION || this.characters > CHARACTERS) {
      this.old = this.young;
      this.young = new Map();
      this.characters = 0;
    }
    this.young.set(hash, opened);
    this.characters += length;
  }
}
