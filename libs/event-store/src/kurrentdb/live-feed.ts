import { type KurrentDBClient, START } from '@kurrent/kurrentdb-client';
import { type StoredEvent, StoreUnavailable } from '../event-store.js';
import type { TroubleLog } from '../trouble-log.js';
import { pauseBeforeRetry } from '../waiting.js';
import { type CallOptions, type KurrentClient, reasonOf } from './kurrent-client.js';
import { fromKurrent } from './kurrent-events.js';
import type { StreamNames } from './stream-names.js';

/**
 * Milliseconds between two times that events are handed on. Under load they then come in batches, which cost those who
 * take them little more than a single event does; an event that comes alone does not wait.
 */
const spacing = 5;

/**
 * Receives every event of the log by one subscription for the whole store. KurrentDB does not
 * resume a subscription that was dropped: that is done here, from the last event handed on, with growing pauses.
 * `checkpointReached` of the client is of no use for that, since it runs ahead of what was handed on.
 */
export class LiveFeed {
  /** Position of the last event that has arrived. */
  private reached: bigint;
  /** Events on their way to `hear`, and the position that the first of them follows. */
  private arrived: StoredEvent[] = [];
  private arrivedAfter: bigint;
  private handedOnAt = 0;
  private readonly closing = new AbortController();
  private hangUp = () => {};

  /**
   * @param after position from which on it hears, of an event or -1.
   * @param hear takes events in order with the position that they follow in the log.
   */
  constructor(
    private readonly client: KurrentClient,
    private readonly names: StreamNames,
    after: bigint,
    private readonly hear: (events: readonly StoredEvent[], after: bigint) => void,
    private readonly log: TroubleLog,
    private readonly onReconnect?: () => void,
  ) {
    this.reached = this.arrivedAfter = after;
  }

  /** Starts to listen; to be called once. */
  listen(): void {
    void this.keepListening();
  }

  close(): void {
    this.closing.abort();
    this.hangUp();
    this.client.close();
  }

  private async keepListening(): Promise<void> {
    const { signal } = this.closing;
    for (let failures = 0, first = true; !signal.aborted; failures++) {
      try {
        const { ended } = await this.client.ask((client, call) => this.subscribe(client, call));
        if (!first) this.onReconnect?.();
        first = false;
        failures = 0;
        throw await ended;
      } catch (error) {
        if (signal.aborted) return;
        const { reached: position, log } = this;
        const err = error instanceof StoreUnavailable ? error : new StoreUnavailable(reasonOf(error), { cause: error });
        log.warn({ err, failures, position }, 'The feed of the log broke off and is taken up again.');
      }
      await pauseBeforeRetry(failures, signal);
    }
  }

  /** Resolves when the server has confirmed the subscription; `ended` then resolves with the reason for its end. */
  private async subscribe(client: KurrentDBClient, call: CallOptions): Promise<{ ended: Promise<unknown> }> {
    const { reached, names } = this;
    const fromPosition = reached < 0n ? START : { commit: reached, prepare: reached };
    const subscription = client.subscribeToAll({ fromPosition, filter: names.filter, ...call });
    const ended = new Promise<unknown>((resolve) => {
      this.hangUp = () => resolve(new Error('The feed was closed.'));
      subscription.on('error', resolve).once('close', () => resolve(new Error('The server ended the subscription.')));
    });
    subscription.on('data', ({ event }) => this.handle(fromKurrent(event, names)));
    await new Promise<void>((resolve, reject) => {
      subscription.once('confirmation', resolve);
      void ended.then(reject);
    });
    return { ended };
  }

  /** Events that come closely after one another are handed on together, and what comes twice is passed over. */
  private handle(event: StoredEvent | null): void {
    if (!event || event.position <= this.reached) return;
    this.reached = event.position;
    if (this.arrived.push(event) > 1) return;
    const early = this.handedOnAt + spacing - performance.now();
    if (early > 0) setTimeout(() => this.handOn(), early);
    else setImmediate(() => this.handOn());
  }

  private handOn(): void {
    this.handedOnAt = performance.now();
    const [events, after] = [this.arrived, this.arrivedAfter];
    this.arrived = [];
    this.arrivedAfter = this.reached;
    this.hear(events, after);
  }
}
