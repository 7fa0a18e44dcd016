import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  type Actor,
  governingProblem,
  isRejection,
  type Rejection,
  type RoomState,
  reject,
  type StopWebhook,
} from '@verbatim/domain';
import { newId } from '../../new-id.js';
import { WebhookDeliveries } from '../../storage/desk/webhook-deliveries.js';
import { WebhookSecrets } from '../../storage/vault/webhook-secrets.js';
import { Rooms } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';
import { Standing } from '../accounts/standing.js';
import { WebhookAddressPolicy } from './webhook-address-policy.js';

type RoomDecided = Decided<RoomState>;

/** A webhook with its signing secret, which is returned only once. */
export interface WebhookWithSecret extends RoomDecided {
  readonly webhookId: string;
  readonly secret: string;
}

const newSigningSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;
const hostOf = (url: string): string => new URL(url).host;
const noSuchWebhook = reject('NotFound', 'There is no such webhook in this room.');

/** The service itself, as the actor of its own decisions about webhooks. */
const serviceActor = { id: '00000000-0000-0000-0000-000000000000', role: 'admin' } as const;

// Adding ----------------------------------------------------------------------------------------------------------------

/** Starts sending events of a room to an address. If the address is not allowed, the outcome is an AddressRejection. */
export class AddWebhookCommand extends Command<WebhookWithSecret | Rejection> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
    readonly webhook: { readonly url: string; readonly events: readonly string[]; readonly active: boolean },
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(AddWebhookCommand)
export class AddWebhookHandler implements ICommandHandler<AddWebhookCommand> {
  constructor(
    private readonly rooms: Rooms,
    private readonly secrets: WebhookSecrets,
    private readonly deliveries: WebhookDeliveries,
    private readonly standing: Standing,
    private readonly addresses: WebhookAddressPolicy,
  ) {}

  execute(command: AddWebhookCommand): Promise<WebhookWithSecret | Rejection> {
    const { roomId, actor, context } = command;
    return this.standing.whileIn(
      actor,
      () => this.add(command),
      ({ webhookId }) => stopForOwner(this.rooms, roomId, webhookId, context),
    );
  }

  /** Vault and desk entries are written before the event, so that everyone who learns of the webhook finds them. */
  private async add({ roomId, actor, webhook, context }: AddWebhookCommand): Promise<WebhookWithSecret | Rejection> {
    const { url, events, active } = webhook;
    const { state } = await this.rooms.newest(roomId);
    const refused =
      governingProblem(state, actor) ??
      this.addresses.refusal(url) ??
      this.rooms.refusal({ type: 'AddWebhook', actor });
    if (refused) return refused;
    const [webhookId, secret] = [newId(), newSigningSecret()];
    const urlId = await this.secrets.keep(roomId, webhookId, url);
    const secretId = await this.secrets.keep(roomId, webhookId, secret);
    await this.deliveries.begin(webhookId, roomId);
    const add = { type: 'AddWebhook', actor, webhookId, host: hostOf(url), urlId, secretId, events } as const;
    const added = await this.rooms.send(roomId, add, context);
    if (isRejection(added)) {
      if (added.rejected === 'Unavailable') return added;
      await this.secrets.remove(webhookId);
      await this.deliveries.remove(webhookId);
      return added;
    }
    if (active) return { ...added, webhookId, secret };
    const paused = await this.rooms.send(roomId, { type: 'ChangeWebhook', actor, webhookId, active }, context);
    return isRejection(paused) ? paused : { ...paused, webhookId, secret };
  }
}

// Changing --------------------------------------------------------------------------------------------------------------

export interface WebhookChanges {
  readonly url?: string;
  readonly events?: readonly string[];
  readonly active?: boolean;
}

/** Changes webhooks. Failed deliveries are retried at once, or within half a minute if nothing changed. */
@Injectable()
export class WebhookChanger {
  constructor(
    private readonly rooms: Rooms,
    private readonly secrets: WebhookSecrets,
    private readonly deliveries: WebhookDeliveries,
    private readonly standing: Standing,
    private readonly addresses: WebhookAddressPolicy,
  ) {}

  /** Changes a webhook on behalf of the actor, who becomes its owner. */
  change(
    roomId: string,
    webhookId: string,
    actor: Actor,
    changes: WebhookChanges & { readonly secret?: string },
    context: Context,
  ): Promise<RoomDecided | Rejection> {
    return this.standing.whileIn(
      actor,
      () => this.apply(roomId, webhookId, actor, changes, context),
      () => stopForOwner(this.rooms, roomId, webhookId, context),
    );
  }

  private async apply(
    roomId: string,
    webhookId: string,
    actor: Actor,
    { url, secret, events, active }: WebhookChanges & { readonly secret?: string },
    context: Context,
  ): Promise<RoomDecided | Rejection> {
    const { state } = await this.rooms.newest(roomId);
    const refused =
      governingProblem(state, actor) ??
      (url === undefined ? null : this.addresses.refusal(url)) ??
      this.rooms.refusal({ type: 'ChangeWebhook', actor });
    if (refused) return refused;
    if (!state.webhooks[webhookId]) return noSuchWebhook;
    const urlId = url === undefined ? undefined : await this.secrets.keep(roomId, webhookId, url);
    const secretId = secret === undefined ? undefined : await this.secrets.keep(roomId, webhookId, secret);
    await this.deliveries.startAfresh(webhookId);
    const host = url === undefined ? undefined : hostOf(url);
    const change = { type: 'ChangeWebhook', actor, webhookId, host, urlId, secretId, events, active } as const;
    const changed = await this.rooms.send(roomId, change, context);
    if (isRejection(changed)) return changed;
    const after = changed.state.webhooks[webhookId];
    if (after && (urlId || secretId)) await this.secrets.remove(webhookId, [after.urlId, after.secretId]);
    return changed;
  }
}

/** Stops a webhook whose new owner has just lost access, as its next delivery would. */
const stopForOwner = (rooms: Rooms, roomId: string, webhookId: string, context: Context) =>
  rooms.send(roomId, { type: 'StopWebhook', actor: serviceActor, webhookId, cause: 'owner_gone' }, context);

/**
 * Changes the address, events or state of a webhook. If the new address is not allowed, the outcome is an
 * AddressRejection.
 */
export class ChangeWebhookCommand extends Command<RoomDecided | Rejection> {
  constructor(
    readonly roomId: string,
    readonly webhookId: string,
    readonly actor: Actor,
    readonly changes: WebhookChanges,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(ChangeWebhookCommand)
export class ChangeWebhookHandler implements ICommandHandler<ChangeWebhookCommand> {
  constructor(private readonly changer: WebhookChanger) {}

  execute({ roomId, webhookId, actor, changes, context }: ChangeWebhookCommand) {
    return this.changer.change(roomId, webhookId, actor, changes, context);
  }
}

/** Gives a webhook a new signing secret. */
export class RotateWebhookSecretCommand extends Command<WebhookWithSecret | Rejection> {
  constructor(
    readonly roomId: string,
    readonly webhookId: string,
    readonly actor: Actor,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(RotateWebhookSecretCommand)
export class RotateWebhookSecretHandler implements ICommandHandler<RotateWebhookSecretCommand> {
  constructor(private readonly changer: WebhookChanger) {}

  async execute({ roomId, webhookId, actor, context }: RotateWebhookSecretCommand) {
    const secret = newSigningSecret();
    const changed = await this.changer.change(roomId, webhookId, actor, { secret }, context);
    return isRejection(changed) ? changed : { ...changed, webhookId, secret };
  }
}

// Ending ----------------------------------------------------------------------------------------------------------------

/** Makes the service stop sending to a webhook. Its owner may restart it. */
export class StopWebhookCommand extends Command<RoomDecided | Rejection> {
  constructor(
    readonly roomId: string,
    readonly webhookId: string,
    readonly cause: StopWebhook['cause'],
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(StopWebhookCommand)
export class StopWebhookHandler implements ICommandHandler<StopWebhookCommand> {
  constructor(private readonly rooms: Rooms) {}

  execute({ roomId, webhookId, cause, context }: StopWebhookCommand): Promise<RoomDecided | Rejection> {
    return this.rooms.send(roomId, { type: 'StopWebhook', actor: serviceActor, webhookId, cause }, context);
  }
}

/** Removes a webhook with its address and secret. */
export class RemoveWebhookCommand extends Command<RoomDecided | Rejection> {
  constructor(
    readonly roomId: string,
    readonly webhookId: string,
    readonly actor: Actor,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(RemoveWebhookCommand)
export class RemoveWebhookHandler implements ICommandHandler<RemoveWebhookCommand> {
  constructor(
    private readonly rooms: Rooms,
    private readonly secrets: WebhookSecrets,
    private readonly deliveries: WebhookDeliveries,
  ) {}

  async execute({ roomId, webhookId, actor, context }: RemoveWebhookCommand): Promise<RoomDecided | Rejection> {
    const { state } = await this.rooms.newest(roomId);
    const refused = governingProblem(state, actor);
    if (refused) return refused;
    if (!state.webhooks[webhookId]) return noSuchWebhook;
    const removed = await this.rooms.send(roomId, { type: 'RemoveWebhook', actor, webhookId }, context);
    if (isRejection(removed)) return removed;
    await this.secrets.remove(webhookId);
    await this.deliveries.remove(webhookId);
    return removed;
  }
}

export const webhookCommandHandlers = [
  AddWebhookHandler,
  ChangeWebhookHandler,
  RotateWebhookSecretHandler,
  StopWebhookHandler,
  RemoveWebhookHandler,
  WebhookChanger,
];
