import { Injectable } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  type Actor,
  type IncomingWebhook,
  isRejection,
  type Rejection,
  type RoomState,
  reject,
  room,
} from '@verbatim/domain';
import { Time } from '../../clock.js';
import { limitedFor } from '../../limits/limited.js';
import { Limits } from '../../limits/limits.js';
import { newId } from '../../new-id.js';
import { WebhookSecrets } from '../../storage/vault/webhook-secrets.js';
import { Rooms, Users } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';
import { Standing } from '../accounts/standing.js';
import { WebhookBots } from './webhook-bots.js';

type RoomDecided = Decided<RoomState>;

/** An incoming webhook with its token, which is returned only once. */
export interface AddedIncomingWebhook extends RoomDecided {
  readonly webhookId: string;
  readonly webhook: IncomingWebhook;
  readonly token: string;
}

/** Removes an incoming webhook: its address stops working. */
export class RemoveIncomingWebhookCommand extends Command<RoomDecided | Rejection> {
  constructor(
    readonly roomId: string,
    readonly webhookId: string,
    readonly actor: Actor,
    readonly context: Context,
  ) {
    super();
  }
}

/** Removes incoming webhooks with their tokens and bots. */
@Injectable()
export class IncomingWebhookRemover {
  constructor(
    private readonly rooms: Rooms,
    private readonly secrets: WebhookSecrets,
    private readonly bots: WebhookBots,
  ) {}

  async remove(roomId: string, webhookId: string, actor: Actor, context: Context): Promise<RoomDecided | Rejection> {
    const { state: before } = await this.rooms.newest(roomId);
    const webhook = before.incomingWebhooks[webhookId];
    const removed = await this.rooms.send(roomId, { type: 'RemoveIncomingWebhook', actor, webhookId }, context);
    if (isRejection(removed)) return removed;
    if (!webhook) return noSuchWebhook;
    await this.secrets.removeIncoming(webhookId);
    const position = await this.bots.deactivateAll([webhook.botId], context);
    return position > removed.position ? { ...removed, position } : removed;
  }
}

@CommandHandler(RemoveIncomingWebhookCommand)
export class RemoveIncomingWebhookHandler implements ICommandHandler<RemoveIncomingWebhookCommand> {
  constructor(private readonly remover: IncomingWebhookRemover) {}

  execute({ roomId, webhookId, actor, context }: RemoveIncomingWebhookCommand): Promise<RoomDecided | Rejection> {
    return this.remover.remove(roomId, webhookId, actor, context);
  }
}

/** Adds an address that posts to a room, and the bot that is the author of these posts. */
export class AddIncomingWebhookCommand extends Command<AddedIncomingWebhook | Rejection> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
    readonly name: string,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(AddIncomingWebhookCommand)
export class AddIncomingWebhookHandler implements ICommandHandler<AddIncomingWebhookCommand> {
  constructor(
    private readonly rooms: Rooms,
    private readonly bots: WebhookBots,
    private readonly secrets: WebhookSecrets,
    private readonly time: Time,
    private readonly standing: Standing,
    private readonly remover: IncomingWebhookRemover,
  ) {}

  execute(command: AddIncomingWebhookCommand): Promise<AddedIncomingWebhook | Rejection> {
    const { roomId, actor, context } = command;
    return this.standing.whileIn(
      actor,
      () => this.add(command),
      ({ webhookId }) => this.remover.remove(roomId, webhookId, actor, context),
    );
  }

  private async add(command: AddIncomingWebhookCommand): Promise<AddedIncomingWebhook | Rejection> {
    const { roomId, actor, name, context } = command;
    const [webhookId, botId] = [newId(), newId()];
    const add = { type: 'AddIncomingWebhook', actor, webhookId, botId, name } as const;
    // Decided first, so that a rejected command leaves no bot behind.
    const foreseen = room.decide(add, (await this.rooms.newest(roomId)).state, this.time.now().toISOString());
    const refused = isRejection(foreseen) ? foreseen : this.rooms.refusal(add);
    if (refused) return refused;
    const bot = await this.bots.register(botId, name, actor.id, context);
    if (isRejection(bot)) return bot;
    const token = await this.secrets.issue({ webhookId, roomId, botId });
    const added = await this.rooms.send(roomId, add, context);
    if (isRejection(added)) {
      if (added.rejected === 'Unavailable') return added;
      await this.secrets.removeIncoming(webhookId);
      await this.bots.deactivate(botId, context);
      return added;
    }
    const webhook = added.state.incomingWebhooks[webhookId];
    return webhook ? { ...added, webhookId, webhook, token } : noSuchWebhook;
  }
}

/** A message posted to the address of an incoming webhook. */
export interface WebhookPost extends RoomDecided {
  readonly roomId: string;
}

/** Posts a message that arrived at the address of an incoming webhook. */
export class PostToWebhookCommand extends Command<WebhookPost | Rejection> {
  constructor(
    readonly token: string,
    readonly message: { readonly id: string; readonly text: string },
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(PostToWebhookCommand)
export class PostToWebhookHandler implements ICommandHandler<PostToWebhookCommand> {
  constructor(
    private readonly rooms: Rooms,
    private readonly users: Users,
    private readonly secrets: WebhookSecrets,
    private readonly limits: Limits,
  ) {}

  async execute({ token, message, context }: PostToWebhookCommand): Promise<WebhookPost | Rejection> {
    const address = await this.secrets.findIncoming(token);
    if (!address) return nothingHere;
    const { roomId, webhookId, botId } = address;
    // It may have been added through a replica whose events have not arrived here yet.
    let { state } = await this.rooms.current(roomId);
    if (!state.incomingWebhooks[webhookId]) state = (await this.rooms.newest(roomId)).state;
    if (!state.incomingWebhooks[webhookId]) return nothingHere;
    if (state.status === 'closed') return reject('RoomClosed', 'The room is closed.');
    const limited = limitedFor(this.limits.account(botId).posts.spend());
    if (limited) return limited;
    // A bot has no session that could be revoked everywhere, so its stream is read.
    const bot = await this.users.newest(botId);
    if (bot.state.status !== 'active') return reject('NotAllowed', `The bot of this address is ${bot.state.status}.`);
    const { id: messageId, text } = message;
    const actor = { id: botId, role: 'user' } as const;
    const post = { type: 'PostMessage', actor, messageId, text, replyTo: null, kind: 'text' } as const;
    const posted = await this.rooms.send(roomId, post, context);
    return isRejection(posted) ? posted : { ...posted, roomId };
  }
}

const noSuchWebhook = reject('NotFound', 'There is no such webhook in this room.');
const nothingHere = reject('NotFound', 'There is nothing at this address.');

export const incomingCommandHandlers = [
  AddIncomingWebhookHandler,
  RemoveIncomingWebhookHandler,
  PostToWebhookHandler,
  IncomingWebhookRemover,
];
