import type { Actor, Decider, Decision, EventTime, Happened, Recorded, Rejection } from '@verbatim/domain';
import { eventTime, isRejection, reject } from '@verbatim/domain';
import {
  type Appended,
  appendLimits,
  type Draft,
  type EventStore,
  EventsMissing,
  isUnavailable,
  type NewEvent,
  NO_STREAM,
  RevisionConflict,
  type Sealer,
  type Snapshots,
  StoreUnavailable,
  schemaOf,
} from '@verbatim/event-store';
import type { Clock } from '../clock.js';
import { newId } from '../new-id.js';
import type { Span, Tracing } from '../telemetry/tracing.js';
import { nextTurn } from './next-turn.js';

/** The context that a door passes with a command. */
export interface Context {
  /** Id shared by everything that one request causes. */
  readonly correlation: string;
  /** RFC 3339 time at which it really took place; imports only. */
  readonly occurredAt?: string;
  /** The door of an older chat system through which the command came; absent for our own API. */
  readonly door?: string;
}

/** An accepted command, its events durable. */
export interface Decided<S> {
  /** Position in the log that a reader must have reached to see the effect. */
  readonly position: bigint;
  /** Revision of the last event of this command, or of the earlier event that already fulfilled it. */
  readonly revision: bigint;
  /** When the events were recorded. */
  readonly at: string;
  /** Number of events this command produced; 0 if it was already fulfilled. */
  readonly events: number;
  readonly state: S;
}

/** Any command. */
export interface AnyCommand {
  readonly type: string;
  readonly actor?: Actor | null;
  /** Only on commands that create accounts. */
  readonly origin?: string;
}

/** Keeps commands from recording anything, whatever the state of their stream: null lets them pass. */
export interface Gate {
  refusal(command: AnyCommand): Rejection | null;
}

/** Knows how far this process has read, and detects that the log lacks some of it. */
export interface Continuity {
  /** Position of the newest event that was read. */
  readonly position: bigint;
  /** Checks the log, because it seems inconsistent. */
  look(): Promise<void>;
}

/** What a mailbox needs besides its stream; the same for all mailboxes of a kind. */
export interface MailboxParts<S, C, E extends Happened> {
  readonly decider: Decider<S, C, E>;
  readonly store: EventStore;
  readonly sealer: Sealer;
  readonly snapshots: Snapshots;
  readonly clock: Clock;
  /** Absent: all commands pass. */
  readonly gate?: Gate;
  /** Absent: the log is assumed to be intact. */
  readonly continuity?: Continuity;
  /** Absent: nothing is traced. */
  readonly tracing?: Tracing;
  /** How states are written into snapshots; `rules` names the shape and is changed whenever folding changes. */
  readonly snapshot: { write(state: S): string; read(text: string): S };
  /** Approximate bytes of memory that a state takes. */
  weigh(state: S): number;
  /** Adds what commands need beyond the state for their decision, for a whole batch at once. */
  lookUp(stream: string, commands: readonly C[], state: S): Promise<readonly C[]> | null;
}

/** Limits of one mailbox. Commands beyond them get `Unavailable`; the caller may retry. */
export const mailboxLimits = {
  /** Commands waiting to be decided. */
  waiting: 1_000,
  /** Commands decided and appended together. */
  batch: 200,
  /** Estimated bytes of a batch; below the store's limit of an append. */
  batchBytes: 700_000,
  /** Milliseconds after which a caller gets `unavailable`, because the outcome is unknown. */
  deadline: 10_000,
  /** Events between two snapshots. */
  snapshotEvery: 1_000n,
} as const;

/** Events read at a time when a cold stream is folded. */
const PAGE = 500;

/** The last folded event. */
interface Head {
  readonly revision: bigint;
  readonly position: bigint;
  readonly hash: string | null;
  readonly at: string;
}

/** A command, and the caller who waits for its outcome. */
class Letter<S, C> {
  settled = false;
  timer: NodeJS.Timeout | undefined;

  constructor(
    readonly command: C,
    readonly context: Context,
    readonly span: Span | undefined,
    private readonly resolve: (outcome: Decided<S> | Rejection) => void,
    private readonly reject: (error: unknown) => void,
  ) {}

  settle(outcome: Decided<S> | Rejection): void {
    this.end();
    this.span?.end(isRejection(outcome) ? { 'verbatim.refused': outcome.rejected } : undefined);
    this.resolve(outcome);
  }

  fail(error: unknown): void {
    this.end();
    this.span?.end(undefined, true);
    this.reject(error);
  }

  private end(): void {
    this.settled = true;
    clearTimeout(this.timer);
  }
}

/**
 * The only writer of one stream in this process. It holds the folded state, decides all commands that arrived while an
 * append was in flight in one go, and appends their events as one batch. Other processes may write the same stream: the
 * store then reports a conflict, the mailbox folds what it missed and decides again.
 */
export class Mailbox<S, C, E extends Happened> {
  private state: S;
  private head: Head = nothing;
  private loaded = false;
  private loading: Promise<void> | null = null;
  /** The latest revision known to exist; the state is complete when the head has reached it. */
  private seen = NO_STREAM;
  /** What is being appended, and when another process was last seen writing this stream. */
  private appending: readonly NewEvent[] | null = null;
  private rivalSeenAt = 0;
  private readonly waiting: Letter<S, C>[] = [];
  private running = false;
  private snapshotRevision = NO_STREAM;
  /** Milliseconds since 1970 of the last use, for the registry that drops idle mailboxes. */
  lastUsed = Date.now();

  constructor(
    private readonly stream: string,
    private readonly parts: MailboxParts<S, C, E>,
    /** Called when the state was loaded from the store. */
    private readonly folded: () => void,
  ) {
    this.state = parts.decider.initialState;
  }

  /** Approximate bytes of memory that it takes while idle. */
  get weight(): number {
    return this.parts.weigh(this.state);
  }

  /** Whether it can be dropped; until then its stream must not get another one in this process. */
  get idle(): boolean {
    return !this.running && this.waiting.length === 0 && this.loading === null;
  }

  /** Decides a command and records its events. Refusals come back as values. */
  send(command: C, context: Context): Promise<Decided<S> | Rejection> {
    this.lastUsed = Date.now();
    if (this.waiting.length >= mailboxLimits.waiting) return Promise.resolve(tooBusy);
    return new Promise((resolve, reject) => {
      const letter = new Letter<S, C>(command, context, this.trace(command, context), resolve, reject);
      letter.timer = setTimeout(() => this.giveUp(letter), mailboxLimits.deadline);
      this.waiting.push(letter);
      if (!this.running) void this.run();
    });
  }

  /** What `current` would return, if it is in memory; null otherwise. Costs nothing and does not count as a use. */
  get known(): S | null {
    return this.loaded && this.head.revision >= this.seen ? this.state : null;
  }

  /** The state, folded at least as far as the feed of this process. */
  async current(): Promise<{ state: S; revision: bigint; position: bigint }> {
    this.lastUsed = Date.now();
    await this.warmUp();
    return { state: this.state, revision: this.head.revision, position: this.head.position };
  }

  /** The state as of now, regardless of the feed: for refusals, which must not rely on outdated state. */
  async newest(): Promise<{ state: S; revision: bigint; position: bigint }> {
    await this.warmUp();
    await this.movedPast(this.head.revision);
    return this.current();
  }

  /**
   * The state as of now or, while the store is unavailable, as far as the feed last got. `confirmed` says which of the two
   * it is. Without the store, only a warm mailbox can answer.
   */
  async newestKnown(): Promise<{ state: S; revision: bigint; position: bigint; confirmed: boolean }> {
    try {
      return { ...(await this.newest()), confirmed: true };
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || !this.loaded || this.head.revision < this.seen) throw error;
      return { state: this.state, revision: this.head.revision, position: this.head.position, confirmed: false };
    }
  }

  /** Folds events from the feed; those already folded are skipped, and a gap is filled by the next use. */
  handle(events: readonly Recorded[]): void {
    for (const event of events) {
      if (event.revision > this.seen) this.seen = event.revision;
      if (!this.loaded || event.revision !== this.head.revision + 1n) continue;
      if (!this.appending?.some(({ id }) => id === event.id)) this.rivalSeenAt = Date.now();
      this.fold(event);
    }
  }

  private trace(command: C, { correlation, door }: Context): Span | undefined {
    if (!this.parts.tracing) return undefined;
    const { type } = command as AnyCommand;
    return this.parts.tracing.command(correlation, type, {
      ...{ 'verbatim.command': type, 'verbatim.stream': this.stream },
      ...(door !== undefined && { 'verbatim.door': door }),
    });
  }

  /** Stops waiting for the outcome. A command without a waiting caller is not kept in memory either. */
  private giveUp(letter: Letter<S, C>): void {
    letter.settle(outcomeUnknown);
    const place = this.waiting.indexOf(letter);
    if (place >= 0) this.waiting.splice(place, 1);
  }

  private async run(): Promise<void> {
    this.running = true;
    try {
      // Commands that arrived together, such as the frames of one packet, are decided together.
      await nextTurn();
      while (this.waiting.length > 0) {
        const batch = this.waiting.splice(0, mailboxLimits.batch).filter((letter) => !letter.settled);
        try {
          await this.process(batch);
        } catch (error) {
          // The folded state is still valid while the store is unavailable. After other errors the next batch starts from the store.
          if (!isUnavailable(error) || error instanceof EventsMissing) this.loaded = false;
          if (error instanceof EventsMissing) void this.parts.continuity?.look();
          for (const letter of batch) if (!letter.settled) letter.fail(error);
        }
      }
    } finally {
      this.running = false;
    }
  }

  /** Decides and appends one batch, again after each conflict, until it is stored or no caller waits for it. */
  private async process(letters: readonly Letter<S, C>[]): Promise<void> {
    let batch = letters;
    while (batch.length > 0) {
      await this.warmUp();
      const sent = batch.map((letter) => letter.command);
      const lookingUp = this.parts.lookUp(this.stream, sent, this.state);
      const commands = lookingUp ? await lookingUp : sent;
      const base = this.head;
      const plan = this.decideAll(batch, commands);
      if (plan.drafts.length === 0) {
        // An append would have proved that the decision was based on the newest state; without one, check the store.
        if (await this.movedPast(base.revision)) continue;
        return this.answer(plan.decided, base);
      }
      try {
        const read = this.parts.continuity?.position ?? -1n;
        this.appending = await this.parts.sealer.seal(this.stream, base.revision + 1n, base.hash, plan.drafts);
        const append = this.parts.store.append(this.stream, base.revision, this.appending);
        const appended = await (this.parts.tracing ? traced(append, plan.decided) : append);
        // New events come after everything that was read before.
        if (appended.position <= read) void this.parts.continuity?.look();
        this.adopt(plan, base, appended, this.appending.at(-1)?.hash ?? null);
        this.answer(plan.decided, appended);
        this.keepSnapshot();
        batch = plan.postponed;
        await this.letRivalIn();
      } catch (error) {
        if (!(error instanceof RevisionConflict)) throw error;
        // The stream is shorter than before: deciding again would have the same result.
        if (error.tail.length === 0) throw new EventsMissing(this.stream);
        this.handle(await this.parts.sealer.open(error.tail));
        batch = batch.filter((letter) => !letter.settled);
      } finally {
        this.appending = null;
      }
    }
  }

  /** Decides each command on the state left by the ones before it. Commands beyond the size of an append are postponed. */
  private decideAll(batch: readonly Letter<S, C>[], commands: readonly C[]): Plan<S, C> {
    const { decider } = this.parts;
    const drafts: Draft[] = [];
    const decided: Plan<S, C>['decided'] = [];
    const now = this.parts.clock().toISOString();
    const { at, clockBackMs } = eventTime(now, this.head.at);
    let state = this.state;
    let revision = this.head.revision;
    let bytes = 0;
    for (let i = 0; i < batch.length; i++) {
      const [letter, command] = [batch[i] as Letter<S, C>, commands[i] as C];
      let decision: Decision<E>;
      try {
        decision = decider.decide(command, state, now);
      } catch (error) {
        letter.fail(error);
        continue;
      }
      // Only new events are stopped: a repeated command gets its earlier result.
      if (!isRejection(decision) && decision.events.length > 0)
        decision = this.parts.gate?.refusal(command as AnyCommand) ?? decision;
      if (isRejection(decision)) {
        // Earlier commands may have pushed messages out of the room's state; it is looked up and decided again after them.
        if (decision.rejected === 'Unavailable' && drafts.length > 0)
          return { drafts, decided, state, at, postponed: batch.slice(i) };
        decided.push({ letter, outcome: decision });
        continue;
      }
      const size = estimateBytes(decision.events);
      const fits =
        bytes + size <= mailboxLimits.batchBytes && drafts.length + decision.events.length <= appendLimits.events;
      if (drafts.length > 0 && !fits) return { drafts, decided, state, at, postponed: batch.slice(i) };
      bytes += size;
      for (const fact of decision.events) {
        // Only the first event of a batch may be earlier than its predecessor.
        const draft = this.draft(fact, letter, drafts.length === 0 ? { at, clockBackMs } : { at });
        drafts.push(draft);
        revision += 1n;
        state = decider.evolve(state, { ...draft, revision } as unknown as E);
      }
      decided.push({
        letter,
        outcome: { revision: decision.earlier ?? revision, at, events: decision.events.length, state },
      });
    }
    return { drafts, decided, state, at, postponed: [] };
  }

  private draft(
    fact: { type: string; data: unknown },
    { command, context }: Letter<S, C>,
    { at, clockBackMs }: EventTime,
  ): Draft {
    const { correlation, occurredAt, door } = context;
    const actor = (command as AnyCommand).actor?.id ?? null;
    const { type, data } = fact;
    const draft = { id: newId(), type, schema: schemaOf(type), at, actor, correlation, data: data as object };
    if (clockBackMs === undefined && occurredAt === undefined && door === undefined) return draft;
    return {
      ...draft,
      ...(clockBackMs !== undefined && { clockBackMs }),
      ...(occurredAt !== undefined && { occurredAt }),
      ...(door !== undefined && { door }),
    };
  }

  /** `last` is the last event of the batch: a reader at its position sees the effects of all commands in the batch. */
  private answer(decided: Plan<S, C>['decided'], last: Appended): void {
    for (const { letter, outcome } of decided) {
      if (letter.settled) continue;
      letter.settle(isRejection(outcome) ? outcome : { ...outcome, position: last.position });
    }
  }

  /** The batch was stored, so its state becomes the current one, unless the feed has already delivered its events. */
  private adopt(plan: Plan<S, C>, base: Head, last: Appended, hash: string | null): void {
    if (last.revision > this.seen) this.seen = last.revision;
    if (this.head !== base) return;
    this.state = plan.state;
    this.head = { ...last, hash, at: plan.at };
  }

  /** Two writers of one stream could starve each other, so the winner pauses briefly while a rival is active. */
  private async letRivalIn(): Promise<void> {
    if (Date.now() - this.rivalSeenAt < 100) await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
  }

  // Folding -----------------------------------------------------------------------------------------------------------

  private fold(event: Recorded): void {
    // Before anything else is sealed here: the old keys are being destroyed, no matter which process wrote this.
    if (event.type === 'TextsErased') this.parts.sealer.renew(this.stream);
    this.state = this.parts.decider.evolve(this.state, event as unknown as E);
    this.head = event;
  }

  /** Whether the store has events of the stream after `revision`, regardless of the feed. */
  private async movedPast(revision: bigint): Promise<boolean> {
    const last = (await this.parts.store.readLast(this.stream))?.revision ?? NO_STREAM;
    if (last > this.seen) this.seen = last;
    return last > revision;
  }

  private async warmUp(): Promise<void> {
    while (!this.loaded || this.head.revision < this.seen) {
      const missing = this.seen;
      this.loading ??= this.load().finally(() => {
        this.loading = null;
      });
      await this.loading;
      // Events that were once seen never disappear, unless the log was rolled back.
      if (this.head.revision < missing) throw new EventsMissing(this.stream);
    }
  }

  /** Folds missing events: first from the snapshot, if there is a valid one, later from the head on. */
  private async load(): Promise<void> {
    if (!this.loaded) await this.loadSnapshot();
    for (let full = true; full; ) {
      const page = await this.parts.store.read(this.stream, this.head.revision + 1n, PAGE);
      for (const event of await this.parts.sealer.open(page))
        if (event.revision === this.head.revision + 1n) this.fold(event);
      full = page.length === PAGE;
    }
    this.loaded = true;
    this.folded();
    this.keepSnapshot();
  }

  /** A snapshot is valid only if the event it names is unchanged; otherwise folding starts at the first event. */
  private async loadSnapshot(): Promise<void> {
    const { decider, snapshots, snapshot, store, sealer } = this.parts;
    this.state = decider.initialState;
    this.head = nothing;
    this.snapshotRevision = NO_STREAM;
    const saved = await snapshots.load(this.stream, snapshotVersion(decider));
    if (!saved) return;
    const [event] = await store.read(this.stream, saved.revision, 1);
    if (event?.hash !== saved.hash) return;
    const [opened] = await sealer.open([event]);
    if (!opened) return;
    this.state = snapshot.read(saved.state);
    this.head = opened;
    this.snapshotRevision = saved.revision;
  }

  private keepSnapshot(): void {
    const { revision, hash } = this.head;
    if (hash === null || revision - this.snapshotRevision < mailboxLimits.snapshotEvery) return;
    this.snapshotRevision = revision;
    const { decider, snapshots, snapshot } = this.parts;
    // A snapshot that could not be stored only makes the next cold start slower.
    snapshots
      .save(this.stream, snapshotVersion(decider), { revision, hash, state: snapshot.write(this.state) })
      .catch(() => undefined);
  }
}

/** The result of a batch before it is stored. */
interface Plan<S, C> {
  readonly drafts: Draft[];
  /** The state after the drafts, and their time. */
  readonly state: S;
  readonly at: string;
  readonly decided: { letter: Letter<S, C>; outcome: Omit<Decided<S>, 'position'> | Rejection }[];
  readonly postponed: readonly Letter<S, C>[];
}

/** An append as a step of each command whose events are in it. */
async function traced<S, C>(append: Promise<Appended>, decided: Plan<S, C>['decided']): Promise<Appended> {
  const steps = decided.flatMap(({ letter: { span }, outcome }) =>
    span && !isRejection(outcome) ? span.step('append', { 'verbatim.batch': decided.length }) : [],
  );
  try {
    return await append;
  } finally {
    for (const step of steps) step.end();
  }
}

const nothing: Head = { revision: NO_STREAM, position: -1n, hash: null, at: '' };

const tooBusy = reject('Unavailable', 'Too much is going on here at the moment.');
const outcomeUnknown = reject(
  'Unavailable',
  'The outcome is not known yet. Repeat the request with the same id or key.',
);

/** An upper estimate of their stored size: sealing and escapes may take up to eight bytes per UTF-16 unit. */
function estimateBytes(events: readonly { readonly data: unknown }[]): number {
  let bytes = 0;
  for (const { data } of events) {
    const fields = data as Record<string, unknown>;
    bytes += 700;
    for (const name in fields) {
      const value = fields[name];
      if (typeof value === 'string') bytes += value.length * 8;
    }
  }
  return bytes;
}

/** Snapshots of another version are ignored. */
const snapshotVersion = ({ category, stateVersion }: { category: string; stateVersion: number }): string =>
  `${category}-${stateVersion}`;
