import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  ephemeralChatLimits,
  inMaintenance,
  joinChat,
  leaveChat,
  openChat,
  type Rejection,
  reject,
  sayInChat,
} from '@verbatim/domain';
import { Time } from '../../clock.js';
import { newChatSecret } from '../../storage/ephemeral/chat-secrets.js';
import { type ChatCredentials, ChatStore } from '../../storage/ephemeral/chat-store.js';
import { Maintenance } from '../../write-side/maintenance.js';
import { EphemeralChats, notAParticipant } from './ephemeral-chats.js';
import { Hearing } from './hearing.js';

/** Maximum number of chats at a time. */
const MOST_CHATS = 20_000;

/** Opens a chat. The credentials are the creator's; their code invites the other participant. */
export class OpenEphemeralChatCommand extends Command<ChatCredentials | Rejection> {}

@CommandHandler(OpenEphemeralChatCommand)
export class OpenEphemeralChatHandler implements ICommandHandler<OpenEphemeralChatCommand> {
  constructor(
    private readonly store: ChatStore,
    private readonly maintenance: Maintenance,
    private readonly hearing: Hearing,
    private readonly time: Time,
  ) {}

  async execute(): Promise<ChatCredentials | Rejection> {
    const now = this.time.now();
    const refused = refusedNow(this.maintenance, now);
    if (refused) return refused;
    const credentials = { code: newChatSecret(), token: newChatSecret() };
    const open = () => this.store.open(credentials, openChat, now, MOST_CHATS);
    if (await open()) return credentials;
    // Silent chats give way, so blocking others requires staying active in every one of the chats.
    const since = now.getTime() - ephemeralChatLimits.silenceMs;
    const makesRoom = this.hearing.since() < since && (await this.store.dropSilent(new Date(since)));
    if (makesRoom && (await open())) return credentials;
    return reject('Unavailable', 'There are as many chats as this service can hold. Try again later.', 60_000);
  }
}

/** Joins the chat with this code. Returns the credentials of the new participant. */
export class JoinEphemeralChatCommand extends Command<ChatCredentials | Rejection> {
  constructor(readonly code: string) {
    super();
  }
}

@CommandHandler(JoinEphemeralChatCommand)
export class JoinEphemeralChatHandler implements ICommandHandler<JoinEphemeralChatCommand> {
  constructor(
    private readonly store: ChatStore,
    private readonly chats: EphemeralChats,
    private readonly maintenance: Maintenance,
    private readonly time: Time,
  ) {}

  async execute({ code }: JoinEphemeralChatCommand): Promise<ChatCredentials | Rejection> {
    const refused = refusedNow(this.maintenance, this.time.now());
    if (refused) return refused;
    const token = newChatSecret();
    const rejection = await this.chats.changeChat(
      () => this.store.find(code),
      ({ state }) => joinChat(state),
      { joinerToken: token },
    );
    if (rejection === notAParticipant) return reject('NotFound', 'Invalid code.');
    return rejection ?? { code, token };
  }
}

/** Sends texts to the other participant: all or none. */
export class SayInEphemeralChatCommand extends Command<Rejection | null> {
  constructor(
    readonly credentials: ChatCredentials,
    readonly texts: readonly string[],
  ) {
    super();
  }
}

@CommandHandler(SayInEphemeralChatCommand)
export class SayInEphemeralChatHandler implements ICommandHandler<SayInEphemeralChatCommand> {
  constructor(private readonly chats: EphemeralChats) {}

  execute({ credentials, texts }: SayInEphemeralChatCommand): Promise<Rejection | null> {
    return this.chats.change(credentials, ({ chat, side, waitingForOther }) =>
      sayInChat(chat.state, side, texts, waitingForOther),
    );
  }
}

/** Confirms what a participant has received, which deletes it. Ids that are not waiting for them are ignored. */
export class ConfirmInEphemeralChatCommand extends Command<Rejection | null> {
  constructor(
    readonly credentials: ChatCredentials,
    readonly messageIds: readonly string[],
  ) {
    super();
  }
}

@CommandHandler(ConfirmInEphemeralChatCommand)
export class ConfirmInEphemeralChatHandler implements ICommandHandler<ConfirmInEphemeralChatCommand> {
  constructor(private readonly store: ChatStore) {}

  async execute({ credentials, messageIds }: ConfirmInEphemeralChatCommand): Promise<Rejection | null> {
    const entered = await this.store.enter(credentials);
    if (!entered) return notAParticipant;
    if (messageIds.length > 0) await this.store.confirm(entered.chat.id, entered.side, messageIds);
    return null;
  }
}

/** Leaves the chat, which ends it. Repeating it changes nothing. */
export class LeaveEphemeralChatCommand extends Command<Rejection | null> {
  constructor(readonly credentials: ChatCredentials) {
    super();
  }
}

@CommandHandler(LeaveEphemeralChatCommand)
export class LeaveEphemeralChatHandler implements ICommandHandler<LeaveEphemeralChatCommand> {
  constructor(private readonly chats: EphemeralChats) {}

  execute({ credentials }: LeaveEphemeralChatCommand): Promise<Rejection | null> {
    return this.chats.change(credentials, ({ chat, side }) => leaveChat(chat.state, side));
  }
}

function refusedNow({ now: on }: Maintenance, at: Date): Rejection | null {
  return on === null ? null : inMaintenance(on, at.toISOString());
}

export const chatCommandHandlers = [
  OpenEphemeralChatHandler,
  JoinEphemeralChatHandler,
  SayInEphemeralChatHandler,
  ConfirmInEphemeralChatHandler,
  LeaveEphemeralChatHandler,
];
