import { type Decider, type Happened, isRejection, streamName } from '@verbatim/domain';
import {
  appendLimits,
  type Draft,
  type EventStore,
  type KeyRing,
  keyNameOf,
  NO_STREAM,
  Sealer,
  schemaOf,
} from '@verbatim/event-store';
import { v7 as uuidv7 } from 'uuid';
import type { Chance } from './chance.js';

/**
 * Writes streams that nobody else writes. Events are decided by the rules, sealed and chained as usual, but stored by the
 * thousand for many streams at once. While some are being stored, the next are decided and sealed.
 */
export class LogWriter {
  private pending = new Map<WrittenStream, Draft[]>();
  private storing: Promise<unknown> = Promise.resolve();
  private readonly sealer: Sealer;
  /** Events waiting for `flush`, and all events added. */
  waiting = 0;
  events = 0;

  constructor(
    private readonly store: EventStore,
    private readonly keys: KeyRing,
    private readonly chance: Chance,
  ) {
    this.sealer = new Sealer(keys);
  }

  /** An id that carries a time (UUIDv7). */
  id(at: number): string {
    return uuidv7({ msecs: at, random: this.chance.bytes(16) });
  }

  add(stream: WrittenStream, { type, data }: { type: string; data: unknown }, actor: string | null, at: number): Draft {
    const id = this.id(at);
    const [recorded, occurredAt] = [new Date(), new Date(at)].map((time) => time.toISOString()) as [string, string];
    const draft = { id, type, schema: schemaOf(type), at: recorded, occurredAt, actor, correlation: id };
    const whole: Draft = { ...draft, data: data as object };
    const drafts = this.pending.get(stream);
    if (drafts) drafts.push(whole);
    else this.pending.set(stream, [whole]);
    this.waiting++;
    this.events++;
    return whole;
  }

  /** Seals waiting events and starts storing them. Resolves when those of the previous call are durable. */
  async flush(): Promise<void> {
    const batch = this.pending;
    this.pending = new Map();
    this.waiting = 0;
    await this.makeKeys(batch);
    const appends: { stream: WrittenStream; after: bigint; events: Awaited<ReturnType<Sealer['seal']>> }[] = [];
    for (const [stream, drafts] of batch) {
      for (let from = 0; from < drafts.length; from += appendLimits.events) {
        const { revision: after, hash } = stream.sealed;
        const some = drafts.slice(from, from + appendLimits.events);
        const events = await this.sealer.seal(stream.name, after + 1n, hash, some);
        stream.sealed = { revision: after + BigInt(events.length), hash: events.at(-1)?.hash ?? hash };
        appends.push({ stream, after, events });
      }
    }
    await this.storing;
    this.storing = Promise.all(
      appends.map(({ stream, after, events }) => this.store.append(stream.name, after, events)),
    );
    // The next call awaits it and reports its errors.
    this.storing.catch(() => {});
  }

  /** Resolves when everything is durable. */
  async finish(): Promise<void> {
    await this.flush();
    await this.storing;
  }

  /** Fetches all keys at once, rather than with one query for each stream. */
  private async makeKeys(batch: ReadonlyMap<WrittenStream, readonly Draft[]>): Promise<void> {
    const names = new Set<string>();
    for (const [stream, drafts] of batch) {
      for (const draft of drafts) {
        const name = keyNameOf(stream.name, draft);
        if (name !== null) names.add(name);
      }
    }
    await this.keys.obtain([...names]);
  }
}

interface WrittenStream {
  readonly name: string;
  /** The last event that was sealed. */
  sealed: { readonly revision: bigint; readonly hash: string | null };
}

/** One stream, from its first event. */
export class SeededStream<S, C extends { readonly actor: { readonly id: string } | null }, E extends Happened>
  implements WrittenStream
{
  readonly name: string;
  state: S;
  sealed: WrittenStream['sealed'] = { revision: NO_STREAM, hash: null };
  private revision = NO_STREAM;

  constructor(
    private readonly writer: LogWriter,
    private readonly decider: Decider<S, C, E>,
    readonly id: string,
  ) {
    this.name = streamName(decider.category, id);
    this.state = decider.initialState;
  }

  /** Applies a command as of a time in milliseconds since 1970. Throws if the rules reject it. */
  do(command: C, at: number): void {
    const decision = this.decider.decide(command, this.state, new Date(at).toISOString());
    if (isRejection(decision)) throw new Error(`${this.name}: ${decision.detail}`);
    for (const fact of decision.events) {
      const draft = this.writer.add(this, fact, command.actor?.id ?? null, at);
      this.revision += 1n;
      this.state = this.decider.evolve(this.state, { ...draft, revision: this.revision } as unknown as E);
    }
  }
}
