import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, type Rejection, type RoomState, reject, room } from '@verbatim/domain';
import { OpenAccount, OpenAccountHandler } from '../accounts/account-commands.js';
import { Time } from '../clock.js';
import { within } from '../limits/limited.js';
import { Limits } from '../limits/limits.js';
import { Rooms, Users } from '../mailbox/entities.js';
import type { Context, Decided } from '../mailbox/mailbox.js';
import { newId } from '../new-id.js';
import { WebhookSecrets } from '../vault/webhook-secrets.js';

type RoomDecided = Decided<RoomState>;

/** Makes an address that posts to a room, and the bot that is the author of what is posted. */
export class AddIncomingWebhook extends Command<(RoomDecided & { webhookId: string; token: string }) | Rejection> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
    readonly name: string,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(AddIncomingWebhook)
export class AddIncomingWebhookHandler implements ICommandHandler<AddIncomingWebhook> {
  constructor(
    private readonly rooms: Rooms,
    private readonly accounts: OpenAccountHandler,
    private readonly secrets: WebhookSecrets,
    private readonly time: Time,
  ) {}

  async execute({ roomId, actor, name, context }: AddIncomingWebhook) {
    const [webhookId, botId] = [newId(), newId()];
    const add = { type: 'AddIncomingWebhook', actor, webhookId, botId, name } as const;
    // Asked beforehand, so that nobody leaves bots behind where nothing comes of it.
    const foreseen = room.decide(add, (await this.rooms.newest(roomId)).state, this.time.now().toISOString());
    const refused = isRejection(foreseen) ? foreseen : this.rooms.refusal(add);
    if (refused) return refused;
    // The end of a UUIDv7 is random.
    const account = { username: `hook-${botId.slice(-12)}`, displayName: name, email: null, password: null } as const;
    const bot = { ...account, role: 'user', origin: 'bot' } as const;
    const opened = await this.accounts.execute(new OpenAccount(botId, bot, context));
    if (isRejection(opened)) return opened;
    const token = await this.secrets.issue({ webhookId, roomId, botId });
    const added = await this.rooms.send(roomId, add, context);
    if (!isRejection(added)) return { ...added, webhookId, token };
    if (added.rejected !== 'Unavailable') await this.secrets.removeIncoming(webhookId);
    return added;
  }
}

/** Makes an address useless. */
export class EndIncomingWebhook extends Command<RoomDecided | Rejection> {
  constructor(
    readonly roomId: string,
    readonly webhookId: string,
    readonly actor: Actor,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(EndIncomingWebhook)
export class EndIncomingWebhookHandler implements ICommandHandler<EndIncomingWebhook> {
  constructor(
    private readonly rooms: Rooms,
    private readonly secrets: WebhookSecrets,
  ) {}

  async execute({ roomId, webhookId, actor, context }: EndIncomingWebhook): Promise<RoomDecided | Rejection> {
    const { state: before } = await this.rooms.newest(roomId);
    const ended = await this.rooms.send(roomId, { type: 'RemoveIncomingWebhook', actor, webhookId }, context);
    if (isRejection(ended)) return ended;
    if (!before.incomingWebhooks[webhookId]) return reject('NotFound', 'There is no such webhook in this room.');
    await this.secrets.removeIncoming(webhookId);
    return ended;
  }
}

/** Posts what came to an address; null if there is no such address (any more). */
export class PostToHook extends Command<(RoomDecided & { roomId: string }) | Rejection | null> {
  constructor(
    readonly token: string,
    readonly message: { readonly id: string; readonly text: string },
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(PostToHook)
export class PostToHookHandler implements ICommandHandler<PostToHook> {
  constructor(
    private readonly rooms: Rooms,
    private readonly users: Users,
    private readonly secrets: WebhookSecrets,
    private readonly limits: Limits,
  ) {}

  async execute({ token, message, context }: PostToHook) {
    const address = await this.secrets.findIncoming(token);
    if (!address) return null;
    const { roomId, webhookId, botId } = address;
    // A fresh one may have been made at a replica of which this one has not heard yet.
    let { state } = await this.rooms.current(roomId);
    if (!state.incomingWebhooks[webhookId]) state = (await this.rooms.newest(roomId)).state;
    if (!state.incomingWebhooks[webhookId]) return null;
    within(this.limits.account(botId).posts.take());
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

export const incomingCommandHandlers = [AddIncomingWebhookHandler, EndIncomingWebhookHandler, PostToHookHandler];
