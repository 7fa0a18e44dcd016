import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import {
  type Actor,
  governingProblem,
  type IncomingWebhook,
  type Rejection,
  type RoomState,
  reject,
  type Webhook,
} from '@verbatim/domain';
import { type Delivery, WebhookDeliveries } from '../../storage/desk/webhook-deliveries.js';
import { WebhookSecrets } from '../../storage/vault/webhook-secrets.js';
import { Rooms } from '../../write-side/entities.js';

/** A webhook as shown to its owner and the owners of the room. */
export interface WebhookDetails {
  readonly id: string;
  readonly roomId: string;
  readonly webhook: Webhook;
  /** Without user information, query and fragment, which may contain secrets; null if the address was lost. */
  readonly url: string | null;
  /** Null before the first attempt. */
  readonly delivery: Delivery | null;
  /** Events of the room not processed yet. */
  readonly behind: number;
}

/** The webhooks of a room, for those who govern it and for auditors. */
export class ListWebhooksQuery extends Query<readonly WebhookDetails[] | Rejection> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
  ) {
    super();
  }
}

@QueryHandler(ListWebhooksQuery)
export class ListWebhooksHandler implements IQueryHandler<ListWebhooksQuery> {
  constructor(
    private readonly rooms: Rooms,
    private readonly secrets: WebhookSecrets,
    private readonly deliveries: WebhookDeliveries,
  ) {}

  async execute({ roomId, actor }: ListWebhooksQuery): Promise<readonly WebhookDetails[] | Rejection> {
    const { state } = await this.rooms.newest(roomId);
    const refused = listingProblem(state, actor);
    if (refused) return refused;
    const deliveries = await this.deliveries.ofRoom(roomId);
    const details = Object.entries(state.webhooks).map(([id, webhook]) =>
      detailsOf({ roomId, id, state, webhook, delivery: deliveries.get(id) ?? null }, this.secrets),
    );
    return Promise.all(details);
  }
}

/** One webhook, for those who govern its room and for auditors. */
export class GetWebhookQuery extends Query<WebhookDetails | Rejection> {
  constructor(
    readonly roomId: string,
    readonly webhookId: string,
    readonly actor: Actor,
    /** The state of the room after a command; absent: the current one. */
    readonly room?: RoomState,
  ) {
    super();
  }
}

@QueryHandler(GetWebhookQuery)
export class GetWebhookHandler implements IQueryHandler<GetWebhookQuery> {
  constructor(
    private readonly rooms: Rooms,
    private readonly secrets: WebhookSecrets,
    private readonly deliveries: WebhookDeliveries,
  ) {}

  async execute({ roomId, webhookId: id, actor, room }: GetWebhookQuery): Promise<WebhookDetails | Rejection> {
    const state = room ?? (await this.rooms.newest(roomId)).state;
    const refused = listingProblem(state, actor);
    if (refused) return refused;
    const webhook = state.webhooks[id];
    if (!webhook) return reject('NotFound', 'There is no such webhook in this room.');
    return detailsOf({ roomId, id, state, webhook, delivery: await this.deliveries.read(id) }, this.secrets);
  }
}

interface Known {
  readonly roomId: string;
  readonly id: string;
  readonly state: RoomState;
  readonly webhook: Webhook;
  readonly delivery: Delivery | null;
}

async function detailsOf({ roomId, id, state, webhook, delivery }: Known, secrets: WebhookSecrets) {
  const url = await secrets.read(roomId, webhook.urlId);
  const through = Math.max(Number(delivery?.through ?? -1), webhook.since);
  const behind = Math.max(0, Number(state.revision) - through);
  return { id, roomId, webhook, url: url && withoutSecrets(url), delivery, behind };
}

function withoutSecrets(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

/** An incoming webhook; only the person who added it knows its token. */
export interface IncomingWebhookDetails {
  readonly id: string;
  readonly roomId: string;
  readonly webhook: IncomingWebhook;
}

/** The incoming webhooks of a room, for those who govern it and for auditors. */
export class ListIncomingWebhooksQuery extends Query<readonly IncomingWebhookDetails[] | Rejection> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
  ) {
    super();
  }
}

@QueryHandler(ListIncomingWebhooksQuery)
export class ListIncomingWebhooksHandler implements IQueryHandler<ListIncomingWebhooksQuery> {
  constructor(private readonly rooms: Rooms) {}

  async execute({ roomId, actor }: ListIncomingWebhooksQuery): Promise<readonly IncomingWebhookDetails[] | Rejection> {
    const { state } = await this.rooms.newest(roomId);
    const refused = listingProblem(state, actor);
    if (refused) return refused;
    return Object.entries(state.incomingWebhooks).map(([id, webhook]) => ({ id, roomId, webhook }));
  }
}

/** Why a person may not see the webhooks of a room, or null. */
const listingProblem = (state: RoomState, actor: Actor): Rejection | null =>
  actor.role === 'auditor' ? null : governingProblem(state, actor);

export const webhookQueryHandlers = [ListWebhooksHandler, GetWebhookHandler, ListIncomingWebhooksHandler];
