import { randomBytes } from 'node:crypto';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Actor, governingProblem, isRejection, type Rejection, type RoomState, reject } from '@verbatim/domain';
import { newId } from '../../new-id.js';
import { WebhookDeliveries } from '../../storage/desk/webhook-deliveries.js';
import { WebhookSecrets } from '../../storage/vault/webhook-secrets.js';
import { serviceActor } from '../../units/webhooks/courier.js';
import { Rooms } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';
import { Standing } from '../accounts/standing.js';

type RoomDecided = Decided<RoomState>;

interface AddedWebhook extends RoomDecided {
  readonly webhookId: string;
  readonly secret: string;
}

const newSigningSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;
const hostOf = (url: string): string => new URL(url).host;

/** Has events of a room sent to an address from now on. */
export class AddWebhookCommand extends Command<AddedWebhook | Rejection> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
    readonly wish: { readonly url: string; readonly events: readonly string[]; readonly active: boolean },
    readonly context: Context,
  ) {
    super();
  }
}

/** Vault and desk have their part before the event tells of the webhook, so that whoever hears of it finds them. */
@CommandHandler(AddWebhookCommand)
export class AddWebhookHandler implements ICommandHandler<AddWebhookCommand> {
  constructor(
    private readonly rooms: Rooms,
    private readonly secrets: WebhookSecrets,
    private readonly deliveries: WebhookDeliveries,
    private readonly standing: Standing,
  ) {}

  execute(command: AddWebhookCommand): Promise<AddedWebhook | Rejection> {
    const { roomId, actor, context } = command;
    return this.standing.whileIn(
      actor,
      () => this.add(command),
      ({ webhookId }) => stopForOwner(this.rooms, roomId, webhookId, context),
    );
  }

  private async add({ roomId, actor, wish, context }: AddWebhookCommand): Promise<AddedWebhook | Rejection> {
    const { state } = await this.rooms.newest(roomId);
    const refused = governingProblem(state, actor) ?? this.rooms.refusal({ type: 'AddWebhook', actor });
    if (refused) return refused;
    const { url, events, active } = wish;
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

export interface WebhookWishes {
  readonly url?: string;
  readonly secret?: string;
  readonly events?: readonly string[];
  readonly active?: boolean;
}

/** Changes a webhook; what had failed is tried again at once, or within half a minute if nothing differs. */
export class ChangeWebhookCommand extends Command<RoomDecided | Rejection> {
  constructor(
    readonly roomId: string,
    readonly webhookId: string,
    readonly actor: Actor,
    readonly wishes: WebhookWishes,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(ChangeWebhookCommand)
export class ChangeWebhookHandler implements ICommandHandler<ChangeWebhookCommand> {
  constructor(
    private readonly rooms: Rooms,
    private readonly secrets: WebhookSecrets,
    private readonly deliveries: WebhookDeliveries,
    private readonly standing: Standing,
  ) {}

  /** Whoever changes it answers for it from then on. */
  execute(command: ChangeWebhookCommand): Promise<RoomDecided | Rejection> {
    const { roomId, webhookId, actor, context } = command;
    return this.standing.whileIn(
      actor,
      () => this.revise(command),
      () => stopForOwner(this.rooms, roomId, webhookId, context),
    );
  }

  private async revise(command: ChangeWebhookCommand): Promise<RoomDecided | Rejection> {
    const { roomId, webhookId, actor, wishes, context } = command;
    const { state } = await this.rooms.newest(roomId);
    const refused = governingProblem(state, actor) ?? this.rooms.refusal({ type: 'ChangeWebhook', actor });
    if (refused) return refused;
    if (!state.webhooks[webhookId]) return noSuchWebhook;
    const { url, secret, events, active } = wishes;
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

/** As the courier would at the next event: whoever answers for the webhook has lost the right to it. */
const stopForOwner = (rooms: Rooms, roomId: string, webhookId: string, context: Context) =>
  rooms.send(roomId, { type: 'StopWebhook', actor: serviceActor, webhookId, cause: 'owner_gone' }, context);

/** Gives a webhook another signing secret, which is answered here and never again. */
export const rotation = (): { readonly secret: string } => ({ secret: newSigningSecret() });

/** Ends a webhook, and forgets its address and secret. */
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
    const ended = await this.rooms.send(roomId, { type: 'RemoveWebhook', actor, webhookId }, context);
    if (isRejection(ended)) return ended;
    await this.secrets.remove(webhookId);
    await this.deliveries.remove(webhookId);
    return ended;
  }
}

const noSuchWebhook = reject('NotFound', 'There is no such webhook in this room.');

export const webhookCommandHandlers = [AddWebhookHandler, ChangeWebhookHandler, RemoveWebhookHandler];
