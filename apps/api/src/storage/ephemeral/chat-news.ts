import type { ChatSide } from '@verbatim/domain';
import { Listener, type TroubleLog } from '@verbatim/event-store';

export const CHAT_CHANNEL = 'verbatim_ephemeral';

/** Hears of what happens in chats, at whichever replica. */
export interface ChatListener {
  changed(chatId: string): void;
  polled(chatId: string, side: ChatSide, poll: string): void;
  /** News may have been missed. */
  missed(): void;
}

export const newsOfChange = (chatId: string): string => `change ${chatId}`;
export const newsOfPoll = (chatId: string, side: ChatSide, poll: string): string => `poll ${chatId} ${side} ${poll}`;

/** News of chats from all replicas, this one included. They are sent with the commit of what they tell, and name no secret. */
export class ChatNews {
  private readonly listener: Listener;
  private heard: ChatListener | null = null;

  /** @param directUrl leads to the database itself, not to a transaction pooler. */
  constructor(directUrl: string, log: TroubleLog) {
    this.listener = new Listener({
      directUrl,
      channel: CHAT_CHANNEL,
      log,
      heard: (news) => this.hear(news),
      listening: () => this.heard?.missed(),
    });
  }

  /** Whether news would be heard, as far as is known. */
  get open(): boolean {
    return this.listener.open;
  }

  start(listener: ChatListener): void {
    this.heard = listener;
    this.listener.start();
  }

  close(): Promise<void> {
    return this.listener.close();
  }

  private hear(news: string): void {
    const [what, chatId = '', side = '', poll = ''] = news.split(' ');
    if (what === 'change') this.heard?.changed(chatId);
    else if (what === 'poll') this.heard?.polled(chatId, side as ChatSide, poll);
  }
}
