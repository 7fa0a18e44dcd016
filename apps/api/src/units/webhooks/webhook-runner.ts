import { setTimeout as sleep } from 'node:timers/promises';
import { parseStream, type Recorded } from '@verbatim/domain';
import { AdvisoryLock } from '@verbatim/projections';
import type { Sql } from 'postgres';
import { Semaphore } from '../../limits/semaphore.js';
import { Courier, type CourierParts } from './courier.js';
import { FairSlots } from './fair-slots.js';

/** Interval at which a standby replica checks whether it should take over. */
const STANDBY_MS = 1_000;
/** Rooms loaded at a time. */
const ROOMS_LOADED_AT_ONCE = 32;

/**
 * Sends the events of rooms to their webhooks. One replica sends; the others stand by, and one of them takes over within
 * about two seconds when it is gone, from the positions stored in the desk. If two ever send at once, an event arrives
 * twice, which receivers must expect anyway.
 */
export class WebhookRunner {
  private readonly stopping = new AbortController();
  /** The couriers of each room while this replica is the one that sends. */
  private couriers: Map<string, Map<string, Courier>> | null = null;
  private over = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private readonly parts: CourierParts;

  /** @param direct connects to the database directly, not through a transaction pooler */
  constructor(
    private readonly direct: Sql,
    parts: Omit<CourierParts, 'loading' | 'slots'>,
  ) {
    this.parts = { ...parts, loading: new Semaphore(ROOMS_LOADED_AT_ONCE), slots: new FairSlots() };
  }

  get sending(): boolean {
    return this.couriers !== null;
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** A sink of the feed: wakes the couriers of rooms in which something happened. */
  handle(events: readonly Recorded[]): void {
    if (!this.couriers) return;
    for (const event of events) {
      const { category, id } = parseStream(event.stream);
      if (category !== 'room') continue;
      if (event.type === 'WebhookAdded') this.add(id, event.data.webhookId);
      else if (event.type === 'WebhookRemoved') this.couriers.get(id)?.delete(event.data.webhookId);
      const couriers = this.couriers.get(id);
      if (!couriers) continue;
      if (event.type === 'WebhookChanged') couriers.get(event.data.webhookId)?.refresh();
      else for (const courier of couriers.values()) courier.wake();
    }
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const lock = await AdvisoryLock.tryTake(this.direct, 'verbatim webhooks').catch(() => null);
      if (!lock) {
        await sleep(STANDBY_MS, undefined, { signal }).catch(() => undefined);
        continue;
      }
      await this.send(AbortSignal.any([signal, lock.lost]));
      await lock.release();
    }
  }

  private async send(until: AbortSignal): Promise<void> {
    this.over = new AbortController();
    this.couriers = new Map();
    await this.sendAll(until).catch(async (error) => {
      this.parts.log.warn({ err: error }, 'webhooks could not be started; trying again');
      await sleep(STANDBY_MS, undefined, { signal: until }).catch(() => undefined);
    });
    this.couriers = null;
    this.over.abort();
  }

  private async sendAll(until: AbortSignal): Promise<void> {
    // The feed is running: it wakes the couriers for what happens from now on, and they read what happened before.
    for (const { webhookId, roomId } of await this.parts.deliveries.all()) this.add(roomId, webhookId);
    if (!until.aborted) await new Promise((resolve) => until.addEventListener('abort', resolve, { once: true }));
  }

  private add(roomId: string, webhookId: string): void {
    if (!this.couriers) return;
    const couriers = this.couriers.get(roomId) ?? new Map<string, Courier>();
    this.couriers.set(roomId, couriers);
    if (couriers.has(webhookId)) return;
    const courier = new Courier(webhookId, roomId, this.parts, this.over.signal);
    couriers.set(webhookId, courier);
    courier.wake();
  }
}
