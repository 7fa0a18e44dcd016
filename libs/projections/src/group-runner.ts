import type { Recorded } from '@verbatim/domain';
import type { EventStore, StoredEvent } from '@verbatim/event-store';
import { applyBatch, BuiltFromAnotherLog, CheckpointMoved, isOfLog, readCheckpoint } from './checkpoints.js';
import { backoff, disconnect, ownConnection, pause, within } from './connection.js';
import { EventBuffer } from './event-buffer.js';
import type { Log, Sql } from './projection.js';
import type { ProjectionGroup } from './read-models.js';
import type { Texts } from './texts.js';

/** A transaction that takes longer counts as lost; milliseconds. */
const PATIENCE_MS = 60_000;

export interface GroupRunnerOptions {
  readonly sql: Sql;
  readonly store: EventStore;
  /** Opens sealed events, in their order; fields whose keys are gone come back as null. */
  readonly open: (events: readonly StoredEvent[]) => Promise<Recorded[]>;
  /** How the read models hold texts; default: in plain form. */
  readonly texts?: Texts;
  readonly schema: string;
  readonly group: ProjectionGroup;
  readonly delayMs: number;
  readonly maxBatch: number;
  readonly log: Log;
  /** Called with the checkpoint whenever it is read or moved. */
  readonly progressed: (position: bigint) => void;
  /** Called with events whose rows are there now, and when work on them began, in milliseconds since 1970. */
  readonly projected?: (group: string, events: readonly Recorded[], began: number) => void;
}

/** Keeps the read models of one group up with the log. */
export class GroupRunner {
  #buffer: EventBuffer | undefined;
  #hurriedTo = -1n;
  #failures = 0;

  constructor(private readonly options: GroupRunnerOptions) {}

  /**
   * Projects until `signal` aborts. There is one answer to everything that may go wrong, be it the database, the vault
   * or another projector: pause, read the checkpoint, and go on from there. So no event is skipped or applied twice.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { sql, schema, group, log } = this.options;
    while (!signal.aborted) {
      const connection = ownConnection(sql);
      try {
        await this.#follow(connection, signal);
      } catch (error) {
        if (signal.aborted) break;
        const failures = ++this.#failures;
        if (error instanceof CheckpointMoved)
          log.info({ schema, group: group.name }, 'Another process projects as well.');
        else log.error({ err: error, schema, group: group.name, failures }, 'Could not project; trying again.');
        await pause(backoff(failures), signal);
      } finally {
        await disconnect(connection);
      }
    }
  }

  /** Somebody waits for the events up to `position`: they are not held back to be collected. */
  hurryTo(position: bigint): void {
    this.#hurriedTo = position > this.#hurriedTo ? position : this.#hurriedTo;
    this.#buffer?.hurryTo(position);
  }

  async #follow(connection: Sql, signal: AbortSignal): Promise<void> {
    const { store, open, texts, schema, group, delayMs, maxBatch, progressed, projected } = this.options;
    const built = await within(PATIENCE_MS, readCheckpoint(connection, schema, group.name));
    if (!(await isOfLog(store, built))) throw new BuiltFromAnotherLog(schema);
    let checkpoint = built.position;
    progressed(checkpoint);

    const buffer = new EventBuffer(delayMs, maxBatch);
    this.#buffer = buffer;
    buffer.hurryTo(this.#hurriedTo);
    const close = () => buffer.close();
    signal.addEventListener('abort', close);
    const subscription = await store.subscribe(checkpoint, (events) => buffer.put(events));
    try {
      if (signal.aborted) return;
      for (let batch = await buffer.nextBatch(); batch; batch = await buffer.nextBatch()) {
        const began = Date.now();
        const events = await open(batch);
        await within(PATIENCE_MS, applyBatch(connection, schema, [group], checkpoint, events, texts));
        checkpoint = batch.at(-1)?.position ?? checkpoint;
        this.#failures = 0;
        progressed(checkpoint);
        projected?.(group.name, events, began);
      }
    } finally {
      signal.removeEventListener('abort', close);
      buffer.close();
      await subscription.stop();
    }
  }
}
