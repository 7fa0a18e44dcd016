import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, type Rejection, type RoomState, reject, room } from '@verbatim/domain';
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

interface AddedIncoming extends RoomDecided {
  readonly webhookId: string;
  readonly token: string;
}

/** Makes an address useless. */
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

@CommandHandler(RemoveIncomingWebhookCommand)
export class RemoveIncomingWebhookHandler implements ICommandHandler<RemoveIncomingWebhookCommand> {
  constructor(
    private readonly rooms: Rooms,
    private readonly secrets: WebhookSecrets,
    private readonly bots: WebhookBots,
  ) {}

  async execute({ roomId, webhookId, actor, context }: RemoveIncomingWebhookCommand): Promise<RoomDecided | Rejection> {
    const { state: before } = await this.rooms.newest(roomId);
    const webhook = before.incomingWebhooks[webhookId];
    const ended = await this.rooms.send(roomId, { type: 'RemoveIncomingWebhook', actor, webhookId }, context);
    if (isRejection(ended)) return ended;
    if (!webhook) return reject('NotFound', 'There is no such webhook in this room.');
    await this.secrets.removeIncoming(webhookId);
    const seen = await this.bots.endAll([webhook.botId], context);
    return seen > ended.position ? { ...ended, position: seen } : ended;
  }
}

/** Makes an address that posts to a room, and the bot that is the author of what is posted. */
export class AddIncomingWebhookCommand extends Command<AddedIncoming | Rejection> {
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
    private readonly end: RemoveIncomingWebhookHandler,
  ) {}

  execute(command: AddIncomingWebhookCommand): Promise<AddedIncoming | Rejection> {
    const { roomId, actor, context } = command;
    return this.standing.whileIn(
      actor,
      () => this.add(command),
      ({ webhookId }) => this.end.execute(new RemoveIncomingWebhookCommand(roomId, webhookId, actor, context)),
    );
  }

  private async add({ roomId, actor, name, context }: AddIncomingWebhookCommand): Promise<AddedIncoming | Rejection> {
    const [webhookId, botId] = [newId(), newId()];
    const add = { type: 'AddIncomingWebhook', actor, webhookId, botId, name } as const;
    // Asked beforehand, so that nobody leaves bots behind where nothing comes of it.
    const foreseen = room.decide(add, (await this.rooms.newest(roomId)).state, this.time.now().toISOString());
    const refused = isRejection(foreseen) ? foreseen : this.rooms.refusal(add);
    if (refused) return refused;
    const made = await this.bots.make(botId, name, actor.id, context);
    if (isRejection(made)) return made;
    const token = await this.secrets.issue({ webhookId, roomId, botId });
    const added = await this.rooms.send(roomId, add, context);
    if (!isRejection(added)) return { ...added, webhookId, token };
    if (added.rejected === 'Unavailable') return added;
    await this.secrets.removeIncoming(webhookId);
    await this.bots.end(botId, context);
    return added;
  }
}

/** Posts what came to an address; null if there is no such address (any more). */
export class PostToWebhookCommand extends Command<(RoomDecided & { roomId: string }) | Rejection | null> {
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

  async execute({ token, message, context }: PostToWebhookCommand) {
    const address = await this.secrets.findIncoming(token);
    if (!address) return null;
    const { roomId, webhookId, botId } = address;
    // A fresh one may have been made at a replica of which this one has not heard yet.
    let { state } = await this.rooms.current(roomId);
    if (!state.incomingWebhooks[webhookId]) state = (await this.rooms.newest(roomId)).state;
    if (!state.incomingWebhooks[webhookId]) return null;
    if (state.status === 'closed') return reject('RoomClosed', 'The room is closed.');
    const tooSoon = limitedFor(this.limits.account(botId).posts.take());
    if (tooSoon) return tooSoon;
    // A bot has no session whose end would be known everywhere, so the store is asked about it.
    const bot = await this.users.newest(botId);
    if (bot.state.status !== 'active') return reject('NotAllowed', `The bot of this address is ${bot.state.status}.`);
    const { id: messageId, text } = message;
    const actor = { id: botId, role: 'user' } as const;
    const post = { type: 'PostMessage', actor, messageId, text, replyTo: null, kind: 'text' } as const;
    const posted = await this.rooms.send(roomId, post, context);
    return isRejection(posted) ? posted : { ...posted, roomId };
  }
}

export const incomingCommandHandlers = [AddIncomingWebhookHandler, RemoveIncomingWebhookHandler, PostToWebhookHandler];
