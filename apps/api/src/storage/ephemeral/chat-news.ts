import type { ChatSide } from '@verbatim/domain';
import { Listener, type TroubleLog } from '@verbatim/event-store';

export const CHAT_CHANNEL = 'verbatim_ephemeral';

/** Is notified of what happens in chats, on any replica. */
export interface ChatListener {
  changed(chatId: string): void;
  polled(chatId: string, side: ChatSide, poll: string): void;
  /** Notifications may have been missed. */
  missed(): void;
}

export const newsOfChange = (chatId: string): string => `change ${chatId}`;
export const newsOfPoll = (chatId: string, side: ChatSide, poll: string): string => `poll ${chatId} ${side} ${poll}`;

/**
 * Notifications about chats from all replicas, including this one. They are sent when a change commits, and contain no
 * secret.
 */
export class ChatNews {
  private readonly listener: Listener;
  private receiver: ChatListener | null = null;

  /** @param directUrl points to the database itself, not to a transaction pooler. */
  constructor(directUrl: string, log: TroubleLog) {
    this.listener = new Listener({
      directUrl,
      channel: CHAT_CHANNEL,
      log,
      heard: (news) => this.dispatch(news),
      listening: () => this.receiver?.missed(),
    });
  }

  /** Whether notifications are being received, as far as is known. */
  get open(): boolean {
    return this.listener.open;
  }

  start(listener: ChatListener): void {
    this.receiver = listener;
    this.listener.start();
  }

  close(): Promise<void> {
    return this.listener.close();
  }

  private dispatch(news: string): void {
    const [what, chatId = '', side = '', poll = ''] = news.split(' ');
    if (what === 'change') this.receiver?.changed(chatId);
    else if (what === 'poll') this.receiver?.polled(chatId, side as ChatSide, poll);
  }
}
