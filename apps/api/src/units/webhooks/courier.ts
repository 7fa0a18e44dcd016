import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandBus } from '@nestjs/cqrs';
import {
  governingProblem,
  isRejection,
  type Recorded,
  roomStream,
  type StopWebhook,
  type Webhook,
} from '@verbatim/domain';
import type { Logger } from 'pino';
import { StopWebhookCommand } from '../../application/webhooks/webhook-commands.js';
import type { Clock } from '../../clock.js';
import type { Semaphore } from '../../limits/semaphore.js';
import { type MessageFactsSource, replacedTexts } from '../../live/replaced-texts.js';
import { newId } from '../../new-id.js';
import type { Delivery, WebhookDeliveries } from '../../storage/desk/webhook-deliveries.js';
import type { Directory } from '../../storage/directory.js';
import type { OpenLog } from '../../storage/open-log.js';
import type { WebhookSecrets } from '../../storage/vault/webhook-secrets.js';
import { eventAnswer } from '../../wire/event-answer.js';
import type { Rooms, Users } from '../../write-side/entities.js';
import type { FairSlots, Pace } from './fair-slots.js';
import type { Outcome, Receivers } from './receivers.js';

/** What all couriers use. */
export interface CourierParts {
  readonly commands: CommandBus;
  readonly rooms: Rooms;
  readonly users: Users;
  readonly openLog: OpenLog;
  readonly readModels: MessageFactsSource;
  readonly directory: Directory;
  readonly secrets: WebhookSecrets;
  readonly deliveries: WebhookDeliveries;
  readonly receivers: Receivers;
  readonly clock: Clock;
  readonly log: Logger;
  /** Bounds how many rooms are loaded at a time, as at the start. */
  readonly loading: Semaphore;
  readonly slots: FairSlots;
}

/** Events read at a time. They stay in memory while the receiver is quick; 20 long ones take 640 KiB. */
const PAGE = 20;
/** A receiver that responds faster than this is quick. */
const QUICK_MS = 1_000;
/** Pause before the first retry. It doubles with each retry up to the longest pause, with random jitter of half of it. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 3_600_000;
/** Interval at which a waiting courier checks whether the next attempt was moved earlier. */
const RECHECK_MS = 30_000;
/** Time without any success after which a webhook is stopped. */
const GIVE_UP_AFTER_MS = 3 * 86_400_000;
/** Pause after a failure of the service itself. */
const OWN_FAULT_PAUSE_MS = 1_000;
/** Pause in which the feed will have caught up. */
const FEED_LAG_MS = 20;

/** Delivers the events of a room to one webhook, one after the other, retrying each until it is accepted. */
export class Courier {
  private delivery: Delivery | null = null;
  private page: readonly Recorded[] = [];
  /** How quickly the receiver last responded. */
  private pace: Pace = 'unknown';
  private running = false;
  /** Whether something happened since it began its current run. */
  private awakened = false;
  private pausing = new AbortController();
  /** Address and signing secret, by their ids in the vault. */
  private readonly known = new Map<string, string>();

  constructor(
    private readonly webhookId: string,
    private readonly roomId: string,
    private readonly parts: CourierParts,
    private readonly until: AbortSignal,
  ) {}

  /** Call when something happened in the room. */
  wake(): void {
    this.awakened = true;
    if (!this.running) void this.run();
  }

  /** Call when the webhook was changed: forgets what was cached about it, and retries at once. */
  refresh(): void {
    this.delivery = null;
    this.page = [];
    this.known.clear();
    this.pausing.abort();
    this.wake();
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.awakened && !this.until.aborted) {
      this.awakened = false;
      let pause: number | null = 0;
      while (pause !== null && !this.until.aborted) {
        if (pause > 0) await this.pause(pause);
        pause = await this.step();
      }
    }
    this.running = false;
  }

  private async pause(milliseconds: number): Promise<void> {
    this.pausing = new AbortController();
    const signal = AbortSignal.any([this.pausing.signal, this.until]);
    await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
  }

  /** Handles one event. Returns the milliseconds to wait before the next, or null when there is none for now. */
  private async step(): Promise<number | null> {
    try {
      this.delivery ??= await this.parts.deliveries.read(this.webhookId);
      if (!this.delivery) return null;
      const early = (this.delivery.nextAttemptAt?.getTime() ?? 0) - this.parts.clock().getTime();
      if (early > 0) {
        // It is read again, because a change of the webhook moves the attempt earlier.
        this.delivery = null;
        return Math.min(early, RECHECK_MS);
      }
      return await this.awaitSlot(this.delivery);
    } catch (error) {
      if (!this.until.aborted)
        this.parts.log.warn(
          { err: error, webhook: this.webhookId },
          'a webhook delivery failed inside the service; retrying',
        );
      return OWN_FAULT_PAUSE_MS;
    }
  }

  /** Waits for a slot if the room has unhandled events. */
  private async awaitSlot(delivery: Delivery): Promise<number | null> {
    const { rooms, loading, slots } = this.parts;
    const { state } = await loading.run(() => rooms.current(this.roomId));
    const webhook = state.webhooks[this.webhookId];
    if (!webhook || webhook.stopped || delivery.through >= state.revision) {
      this.page = [];
      return null;
    }
    const pace = delivery.failures > 0 ? 'slow' : this.pace;
    return slots.run({ owner: webhook.by, room: this.roomId, pace }, () => this.advance(delivery));
  }

  private async advance(delivery: Delivery): Promise<number | null> {
    // It may have been stopped or changed while waiting for the slot.
    if (this.until.aborted) return null;
    if (this.delivery !== delivery) return 0;
    const { rooms, openLog } = this.parts;
    const { state } = await rooms.current(this.roomId);
    const webhook = state.webhooks[this.webhookId];
    if (!webhook || webhook.stopped) return null;
    const since = BigInt(webhook.since);
    const through = delivery.through > since ? delivery.through : since;
    this.page = this.page.filter(({ revision }) => revision > through);
    if (this.page.length === 0) this.page = await openLog.read(roomStream(this.roomId), through + 1n, PAGE);
    const last = this.page.at(-1);
    if (!last) return null;
    const next = this.page.find(({ type }) => webhook.events.includes(type));
    if (next) return this.deliver(next, delivery);
    await this.note(delivery, { ...delivery, through: last.revision });
    return 0;
  }

  /** Decides from the current state of the room whether the event may be sent, and how much of it, and sends it. */
  private async deliver(event: Recorded, before: Delivery): Promise<number | null> {
    const { rooms, users, directory, readModels, receivers, clock } = this.parts;
    const room = await rooms.newest(this.roomId);
    const webhook = room.state.webhooks[this.webhookId];
    if (!webhook || webhook.stopped) return null;
    // It was stopped and started again through another replica, and the feed has not delivered that yet.
    if (event.revision <= BigInt(webhook.since)) return FEED_LAG_MS;
    const { state: owner } = await users.newest(webhook.by);
    const entitled = owner.status === 'active' && !governingProblem(room.state, { id: webhook.by, role: owner.role });
    if (!entitled) return this.stop('owner_gone');
    const replaced = await replacedTexts(readModels, this.roomId, room, [event]);
    if (isRejection(replaced)) return OWN_FAULT_PAUSE_MS;
    const actor = await directory.person(event.actor);
    const body = JSON.stringify(eventAnswer(event, 'member', replaced.has(event.revision), actor));
    const sealed = await this.sealed(webhook);
    const at = clock();
    const began = performance.now();
    const outcome = sealed
      ? await receivers.send({ ...sealed, id: event.id, at, body }, this.until)
      : { status: null, error: 'The address or the signing secret was lost.' };
    this.pace = outcome.error === null && performance.now() - began < QUICK_MS ? 'quick' : 'slow';
    if (this.pace === 'slow') this.page = [];
    // An attempt cut short by our own shutdown says nothing about the receiver.
    if (this.until.aborted && outcome.error !== null) return null;
    return this.conclude(event, before, outcome, at);
  }

  private async sealed({ urlId, secretId }: Webhook): Promise<{ url: string; secret: string } | null> {
    for (const id of [urlId, secretId]) {
      if (this.known.has(id)) continue;
      const text = await this.parts.secrets.read(this.roomId, id);
      if (text === null) return null;
      this.known.set(id, text);
    }
    return { url: this.known.get(urlId) ?? '', secret: this.known.get(secretId) ?? '' };
  }

  private async conclude(event: Recorded, before: Delivery, outcome: Outcome, at: Date): Promise<number | null> {
    const attempt = { lastAttemptAt: at, lastStatus: outcome.status, lastError: outcome.error };
    if (outcome.error === null) {
      const success = { failures: 0, failingSince: null, nextAttemptAt: null, lastSuccessAt: at };
      await this.note(before, { ...before, ...attempt, ...success, through: event.revision });
      return 0;
    }
    const now = this.parts.clock();
    const failingSince = before.failingSince ?? now;
    const pause = pauseAfter(before.failures + 1);
    const failure = { failures: before.failures + 1, failingSince, nextAttemptAt: new Date(now.getTime() + pause) };
    const gone = outcome.status === 410;
    const hopeless = gone || now.getTime() - failingSince.getTime() > GIVE_UP_AFTER_MS;
    await this.note(before, { ...before, ...attempt, ...failure, ...(hopeless && { nextAttemptAt: null }) });
    if (hopeless) return this.stop(gone ? 'receiver_gone' : 'failing');
    return 0;
  }

  private async note(before: Delivery, after: Delivery): Promise<void> {
    const noted = await this.parts.deliveries.note(before, after);
    // If it was changed in the meantime, it is read again.
    if (this.delivery === before) this.delivery = noted ? after : null;
  }

  private async stop(cause: StopWebhook['cause']): Promise<null> {
    const stop = new StopWebhookCommand(this.roomId, this.webhookId, cause, { correlation: newId() });
    await this.parts.commands.execute(stop);
    return null;
  }
}

/** Milliseconds to wait after this many failures in a row. */
export function pauseAfter(failures: number, chance = Math.random()): number {
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 30));
  return pause * (0.5 + chance / 2);
}
