import { setTimeout as sleep } from 'node:timers/promises';
import {
  governingProblem,
  isRejection,
  type Recorded,
  roomStream,
  type StopWebhook,
  type Webhook,
} from '@verbatim/domain';
import type { Logger } from 'pino';
import { eventAnswer } from '../../application/audit/audit-queries.js';
import type { Clock } from '../../clock.js';
import { type MessageFactsSource, replacedTexts } from '../../live/replaced-texts.js';
import { newId } from '../../new-id.js';
import type { Delivery, WebhookDeliveries } from '../../storage/desk/webhook-deliveries.js';
import type { Directory } from '../../storage/directory.js';
import type { OpenLog } from '../../storage/open-log.js';
import type { WebhookSecrets } from '../../storage/vault/webhook-secrets.js';
import type { Rooms, Users } from '../../write-side/entities.js';
import type { FairSlots, Pace } from './fair-slots.js';
import type { Lane } from './lane.js';
import type { Outcome, Receivers } from './receivers.js';

/** What all couriers work with. */
export interface CourierParts {
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
  /** Rooms that are loaded at a time, as at the start. */
  readonly loading: Lane;
  readonly slots: FairSlots;
}

/** Events read at a time. They stay in memory while the receiver is quick; 20 long ones are 640 KiB. */
const PAGE = 20;
/** Milliseconds within which a quick receiver answers. */
const QUICK = 1_000;
/** Milliseconds until the first repetition, doubled with each, up to the longest pause; random from the half of it on. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 3_600_000;
/** Milliseconds after which it is looked again whether an attempt is still to wait. */
const LOOK_AGAIN = 30_000;
/** Milliseconds of nothing but failures after which a webhook is given up. */
const GIVEN_UP_AFTER = 3 * 86_400_000;
/** Milliseconds to wait when it is we who cannot go on. */
const OWN_TROUBLE = 1_000;

/** Milliseconds in which the feed will have come further. */
const A_MOMENT = 20;

/** The service itself, as the actor of what it decides about webhooks. */
export const serviceActor = { id: '00000000-0000-0000-0000-000000000000', role: 'admin' } as const;

/** Brings the events of a room to one webhook, one after the other, each until it is taken. */
export class Courier {
  private delivery: Delivery | null = null;
  private page: readonly Recorded[] = [];
  /** How quick the receiver was last. */
  private pace: Pace = 'unknown';
  private running = false;
  /** Something came while it was at work. */
  private awaited = false;
  private resting = new AbortController();
  /** Address and signing secret, by the ids under which the vault has them. */
  private readonly known = new Map<string, string>();

  constructor(
    private readonly webhookId: string,
    private readonly roomId: string,
    private readonly parts: CourierParts,
    private readonly until: AbortSignal,
  ) {}

  /** There is something new in the room. */
  wake(): void {
    this.awaited = true;
    if (!this.running) void this.run();
  }

  /** The webhook itself was changed: what was known of it counts no more, and what failed is tried again. */
  refresh(): void {
    this.delivery = null;
    this.page = [];
    this.known.clear();
    this.resting.abort();
    this.wake();
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.awaited && !this.until.aborted) {
      this.awaited = false;
      let pause: number | null = 0;
      while (pause !== null && !this.until.aborted) {
        if (pause > 0) await this.rest(pause);
        pause = await this.step();
      }
    }
    this.running = false;
  }

  private async rest(milliseconds: number): Promise<void> {
    this.resting = new AbortController();
    const signal = AbortSignal.any([this.resting.signal, this.until]);
    await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
  }

  /** Goes on by one event. Answers the milliseconds to wait before the next, or null when there is none for now. */
  private async step(): Promise<number | null> {
    try {
      this.delivery ??= await this.parts.deliveries.read(this.webhookId);
      if (!this.delivery) return null;
      const early = (this.delivery.nextAttemptAt?.getTime() ?? 0) - this.parts.clock().getTime();
      if (early > 0) {
        // Somebody may wish it to be tried sooner.
        this.delivery = null;
        return Math.min(early, LOOK_AGAIN);
      }
      return await this.takeTurn(this.delivery);
    } catch (error) {
      if (!this.until.aborted)
        this.parts.log.warn({ err: error, webhook: this.webhookId }, 'a webhook waits, for the service is in trouble');
      return OWN_TROUBLE;
    }
  }

  /** Waits for a slot if something has happened in the room that was not looked at yet. */
  private async takeTurn(delivery: Delivery): Promise<number | null> {
    const { rooms, loading, slots } = this.parts;
    const { state } = await loading.run(() => rooms.current(this.roomId));
    const webhook = state.webhooks[this.webhookId];
    if (!webhook || webhook.stopped || delivery.through >= state.revision) {
      this.page = [];
      return null;
    }
    const pace = delivery.failures > 0 ? 'slow' : this.pace;
    return slots.run({ owner: webhook.by, room: this.roomId, pace }, () => this.goOn(delivery));
  }

  private async goOn(delivery: Delivery): Promise<number | null> {
    // Whoever waited for a slot may have been told to stop, or changed, meanwhile.
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

  /** Judges on the room as of now what may be told of the event and whether at all, and sends it. */
  private async deliver(event: Recorded, before: Delivery): Promise<number | null> {
    const { rooms, users, directory, readModels, receivers, clock } = this.parts;
    const room = await rooms.newest(this.roomId);
    const webhook = room.state.webhooks[this.webhookId];
    if (!webhook || webhook.stopped) return null;
    // It was stopped and let go on by somebody of whom this replica has yet to hear.
    if (event.revision <= BigInt(webhook.since)) return A_MOMENT;
    const { state: owner } = await users.newest(webhook.by);
    const entitled = owner.status === 'active' && !governingProblem(room.state, { id: webhook.by, role: owner.role });
    if (!entitled) return this.stop('owner_gone');
    const replaced = await replacedTexts(readModels, this.roomId, room, [event]);
    if (isRejection(replaced)) throw new Error(replaced.detail);
    const people = await directory.people([event.actor]);
    const body = JSON.stringify(eventAnswer(event, 'member', replaced.has(event.revision), people));
    const sealed = await this.sealed(webhook);
    const at = clock();
    const began = performance.now();
    const outcome = sealed
      ? await receivers.send({ ...sealed, id: event.id, at, body }, this.until)
      : { status: null, error: 'The address or the signing secret is lost.' };
    this.pace = outcome.error === null && performance.now() - began < QUICK ? 'quick' : 'slow';
    if (this.pace === 'slow') this.page = [];
    // An attempt that our own end cut short says nothing about the receiver.
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
    const hopeless = gone || now.getTime() - failingSince.getTime() > GIVEN_UP_AFTER;
    await this.note(before, { ...before, ...attempt, ...failure, ...(hopeless && { nextAttemptAt: null }) });
    if (hopeless) return this.stop(gone ? 'receiver_gone' : 'failing');
    return 0;
  }

  private async note(before: Delivery, after: Delivery): Promise<void> {
    const noted = await this.parts.deliveries.note(before, after);
    // Whoever was changed meanwhile is looked at anew.
    if (this.delivery === before) this.delivery = noted ? after : null;
  }

  private async stop(cause: StopWebhook['cause']): Promise<null> {
    const stop = { type: 'StopWebhook', actor: serviceActor, webhookId: this.webhookId, cause } as const;
    await this.parts.rooms.send(this.roomId, stop, { correlation: newId() });
    return null;
  }
}

/** Milliseconds to wait after so many failures in a row. */
export function pauseAfter(failures: number, chance = Math.random()): number {
  const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(failures - 1, 30));
  return pause * (0.5 + chance / 2);
}
