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

/** Milliseconds for which it is remembered that a chat is closed, so that who comes late is told. */
const REMEMBER_CLOSED_MS = 3_600_000;

/** What a clean-up has done. */
export interface CleanUp {
  readonly closed: number;
  readonly deleted: number;
}

/** Looks after the chats in place of participants who are gone. */
@Injectable()
export class Caretaker {
  constructor(
    private readonly store: ChatStore,
    private readonly chats: EphemeralChats,
    private readonly hearing: Hearing,
    private readonly time: Time,
  ) {}

  /** What is due now: done every few seconds, by every replica. */
  async lookAfter(): Promise<void> {
    await this.hearing.watch(async () => {
      await this.cleanUp(REMEMBER_CLOSED_MS);
      await this.closeAbandoned();
      await this.store.eraseClosedBefore(this.ago(ephemeralChatLimits.farewellMs));
    });
    await this.store.removeTraces();
  }

  /** Deletes chats that were closed before, then closes those that are a day old; the next time these are deleted. */
  async cleanUp(closedForMs: number = ephemeralChatLimits.farewellMs): Promise<CleanUp> {
    const deleted = await this.store.deleteClosedBefore(this.ago(closedForMs));
    const now = this.time.now().getTime();
    const old = () => this.store.openedBefore(new Date(now - ephemeralChatLimits.ageMs));
    return { closed: await this.closeAll(old, (chat) => closeIfOld(chat, now)), deleted };
  }

  /** Ends a chat on behalf of those who run the service. False: there is no such chat. */
  async end(chatId: string): Promise<boolean> {
    const rejection = await this.chats.changeChat(
      () => this.store.byId(chatId),
      ({ state }) => endChat(state),
    );
    return rejection === null;
  }

  /** Nobody looks into a chat that both have left without a word. */
  private async closeAbandoned(): Promise<void> {
    const [now, hearingSince] = [this.time.now().getTime(), this.hearing.since()];
    const since = now - ephemeralChatLimits.silenceMs;
    if (hearingSince >= since) return;
    const silent = () => this.store.readyAndSilent(new Date(since));
    await this.closeAll(silent, (chat) => closeIfAbandoned(chat, now, hearingSince));
  }

  /** Closes chats until none is found any more. Returns how many. */
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
