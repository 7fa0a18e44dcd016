import { Injectable } from '@nestjs/common';
import {
  type ChatChange,
  closeIfAbandoned,
  closeIfOld,
  type EphemeralChat,
  endChat,
  ephemeralChatLimits,
} from '@verbatim/domain';
import { Time } from '../../clock.js';
import { ChatStore, type KeptChat } from '../../storage/ephemeral/chat-store.js';
import { EphemeralChats } from './ephemeral-chats.js';
import { Hearing } from './hearing.js';

/** Milliseconds for which a closed chat is kept, so that late participants learn that it is closed. */
const REMEMBER_CLOSED_MS = 3_600_000;

/** The result of a clean-up. */
export interface CleanUp {
  readonly closed: number;
  readonly deleted: number;
}

/** Maintains the chats of participants who are gone. */
@Injectable()
export class Caretaker {
  constructor(
    private readonly store: ChatStore,
    private readonly chats: EphemeralChats,
    private readonly hearing: Hearing,
    private readonly time: Time,
  ) {}

  /** Periodic work, done every few seconds by every replica. */
  async lookAfter(): Promise<void> {
    await this.hearing.watch(async () => {
      await this.cleanUp(REMEMBER_CLOSED_MS);
      await this.closeAbandoned();
      await this.store.eraseClosedBefore(this.ago(ephemeralChatLimits.farewellMs));
    });
    await this.store.removeTraces();
  }

  /** Deletes chats that were closed earlier, then closes those that are a day old; the next run deletes these. */
  async cleanUp(closedForMs: number = ephemeralChatLimits.farewellMs): Promise<CleanUp> {
    const deleted = await this.store.deleteClosedBefore(this.ago(closedForMs));
    const now = this.time.now().getTime();
    const old = () => this.store.openedBefore(new Date(now - ephemeralChatLimits.ageMs));
    return { closed: await this.closeAll(old, (chat) => closeIfOld(chat, now)), deleted };
  }

  /** Ends a chat on behalf of the operator. False: there is no such chat. */
  async end(chatId: string): Promise<boolean> {
    const rejection = await this.chats.changeChat(
      () => this.store.byId(chatId),
      ({ state }) => endChat(state),
    );
    return rejection === null;
  }

  /** Closes chats that both participants left silently: no one looks into those any more. */
  private async closeAbandoned(): Promise<void> {
    const [now, hearingSince] = [this.time.now().getTime(), this.hearing.since()];
    const since = now - ephemeralChatLimits.silenceMs;
    if (hearingSince >= since) return;
    const silent = () => this.store.readyAndSilent(new Date(since));
    await this.closeAll(silent, (chat) => closeIfAbandoned(chat, now, hearingSince));
  }

  /** Closes chats until no more are found. Returns how many. */
  private async closeAll(
    find: () => Promise<KeptChat[]>,
    decide: (chat: EphemeralChat) => ChatChange | null,
  ): Promise<number> {
    let closed = 0;
    for (let more = true; more; ) {
      const outcomes = await Promise.all(
        (await find()).map(({ id }) =>
          this.chats.changeChat(
            () => this.store.byId(id),
            ({ state }) => decide(state),
          ),
        ),
      );
      const done = outcomes.filter((rejection) => rejection === null).length;
      closed += done;
      more = done > 0;
    }
    return closed;
  }

  private ago(milliseconds: number): Date {
    return new Date(this.time.now().getTime() - milliseconds);
  }
}
