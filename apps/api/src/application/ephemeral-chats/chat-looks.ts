import { Command, CommandHandler, type ICommandHandler, type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import {
  type ChatSide,
  type ChatStatus,
  closeIfSilent,
  type EphemeralChat,
  isRejection,
  type Rejection,
} from '@verbatim/domain';
import { Time } from '../../clock.js';
import {
  type ChatCounts,
  type ChatCredentials,
  ChatStore,
  type Participant,
  type WaitingMessage,
} from '../../storage/ephemeral/chat-store.js';
import { EphemeralChats, notAParticipant } from './ephemeral-chats.js';
import { Hearing } from './hearing.js';

/** The status of the chat with this code; null if there is none. */
export class GetChatStatusQuery extends Query<ChatStatus | null> {
  constructor(readonly code: string) {
    super();
  }
}

@QueryHandler(GetChatStatusQuery)
export class GetChatStatusHandler implements IQueryHandler<GetChatStatusQuery> {
  constructor(private readonly store: ChatStore) {}

  async execute({ code }: GetChatStatusQuery): Promise<ChatStatus | null> {
    return (await this.store.find(code))?.state.status ?? null;
  }
}

/** The number of chats and unconfirmed texts, over all processes. */
export class CountChatsQuery extends Query<ChatCounts> {}

@QueryHandler(CountChatsQuery)
export class CountChatsHandler implements IQueryHandler<CountChatsQuery> {
  constructor(private readonly store: ChatStore) {}

  execute(): Promise<ChatCounts> {
    return this.store.counts();
  }
}

/** Records that a participant starts to ask for messages, and with which poll, if any. Returns the participant. */
export class BeginAskingCommand extends Command<Participant | Rejection> {
  constructor(
    readonly credentials: ChatCredentials,
    readonly poll: string | null,
  ) {
    super();
  }
}

@CommandHandler(BeginAskingCommand)
export class BeginAskingHandler implements ICommandHandler<BeginAskingCommand> {
  constructor(
    private readonly store: ChatStore,
    private readonly hearing: Hearing,
    private readonly time: Time,
  ) {}

  execute({ credentials, poll }: BeginAskingCommand): Promise<Participant | Rejection> {
    return this.hearing.watch(
      async () => (await this.store.noteSeen(credentials, this.time.now(), poll)) ?? notAParticipant,
    );
  }
}

/** What a participant sees at one moment: status and messages are consistent. */
export interface ChatFindings {
  readonly status: ChatStatus;
  readonly messages: readonly WaitingMessage[];
  /** Their latest poll, at this or another replica. */
  readonly poll: string | null;
}

/** Looks for messages. This also detects that the other participant has been silent for too long, which ends the chat. */
export class LookIntoChatCommand extends Command<ChatFindings | Rejection> {
  constructor(
    readonly credentials: ChatCredentials,
    readonly side: ChatSide,
  ) {
    super();
  }
}

@CommandHandler(LookIntoChatCommand)
export class LookIntoChatHandler implements ICommandHandler<LookIntoChatCommand> {
  constructor(
    private readonly store: ChatStore,
    private readonly chats: EphemeralChats,
    private readonly hearing: Hearing,
    private readonly time: Time,
  ) {}

  execute({ credentials, side }: LookIntoChatCommand): Promise<ChatFindings | Rejection> {
    return this.hearing.watch(async () => {
      const found = await this.look(credentials.code, side);
      const hearingSince = this.hearing.since();
      const close = (chat: EphemeralChat, now: number) => closeIfSilent(chat, side, now, hearingSince);
      if (isRejection(found) || !close(found.chat.state, this.time.now().getTime())) return found;
      const rejection = await this.chats.change(credentials, ({ chat }, now) => close(chat.state, now));
      return rejection ?? this.look(credentials.code, side);
    });
  }

  private async look(code: string, side: ChatSide) {
    const look = await this.store.look(code, side);
    return look ? { ...look, status: look.chat.state.status } : notAParticipant;
  }
}

export const chatLookHandlers = [
  Hearing,
  GetChatStatusHandler,
  CountChatsHandler,
  BeginAskingHandler,
  LookIntoChatHandler,
];
