import { Injectable } from '@nestjs/common';
import { closeIfOld, endChat, ephemeralChatLimits } from '@verbatim/domain';
import { Time } from '../../clock.js';
import { ChatStore } from '../../storage/ephemeral/chat-store.js';
import { EphemeralChats } from './ephemeral-chats.js';

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
    private readonly time: Time,
  ) {}

  /** What is due now: done every few seconds, by every replica. */
  async lookAfter(): Promise<void> {
    await this.cleanUp(REMEMBER_CLOSED_MS);
    await this.store.eraseClosedBefore(this.ago(ephemeralChatLimits.farewellMs));
    await this.store.removeTraces();
  }

  /** Deletes chats that were closed before, then closes those that are a day old; the next time these are deleted. */
  async cleanUp(closedForMs: number = ephemeralChatLimits.farewellMs): Promise<CleanUp> {
    const deleted = await this.store.deleteClosedBefore(this.ago(closedForMs));
    let closed = 0;
    for (let more = true; more; ) {
      const old = await this.store.openedBefore(this.ago(ephemeralChatLimits.ageMs));
      const outcomes = await Promise.all(old.map(({ id }) => this.closeOld(id)));
      const done = outcomes.filter((done) => done).length;
      closed += done;
      more = done > 0;
    }
    return { closed, deleted };
  }

  /** Ends a chat on behalf of those who run the service. False: there is no such chat. */
  async end(chatId: string): Promise<boolean> {
    const rejection = await this.chats.changeChat(
      () => this.store.byId(chatId),
      ({ state }) => endChat(state),
    );
    return rejection === null;
  }

  private async closeOld(chatId: string): Promise<boolean> {
    const rejection = await this.chats.changeChat(
      () => this.store.byId(chatId),
      ({ state }, now) => closeIfOld(state, now),
    );
    return rejection === null;
  }

  private ago(milliseconds: number): Date {
    return new Date(this.time.now().getTime() - milliseconds);
  }
}
