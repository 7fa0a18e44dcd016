import { Injectable } from '@nestjs/common';
import { type ChatChange, isRejection, type Rejection, reject } from '@verbatim/domain';
import { Time } from '../../clock.js';
import {
  type ChatCredentials,
  ChatStore,
  type EnteredChat,
  type KeptChat,
} from '../../storage/ephemeral/chat-store.js';

/** How often a change is decided again because a concurrent one came first. */
const MOST_TRIES = 20;

export const notAParticipant = reject('Unauthenticated', 'Unauthorized');

type Decision = ChatChange | Rejection | null;
type Secrets = Parameters<ChatStore['apply']>[3];

/** Changes chats: each change is decided on the newest state, whichever replica made it, and applied atomically. */
@Injectable()
export class EphemeralChats {
  constructor(
    private readonly store: ChatStore,
    private readonly time: Time,
  ) {}

  /** A change by a participant. Null: nothing changed. */
  change(
    credentials: ChatCredentials,
    decide: (entered: EnteredChat, now: number) => Decision,
  ): Promise<Rejection | null> {
    return this.repeat(
      () => this.store.enter(credentials),
      ({ chat }) => chat,
      decide,
      { code: credentials.code },
    );
  }

  /** A change by someone else: a person joining with the code, or the caretaker. */
  changeChat(
    find: () => Promise<KeptChat | null>,
    decide: (chat: KeptChat, now: number) => Decision,
    secrets?: Secrets,
  ): Promise<Rejection | null> {
    return this.repeat(find, (chat) => chat, decide, secrets);
  }

  private async repeat<Found>(
    find: () => Promise<Found | null>,
    chatOf: (found: Found) => KeptChat,
    decide: (found: Found, now: number) => Decision,
    secrets?: Secrets,
  ): Promise<Rejection | null> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const found = await find();
      if (!found) return notAParticipant;
      const now = this.time.now();
      const decision = decide(found, now.getTime());
      if (decision === null || isRejection(decision)) return decision;
      if (await this.store.apply(chatOf(found), decision, now, secrets)) return null;
    }
    return reject('Unavailable', 'Too much happens in this chat at the same time. Try again.', 1_000);
  }
}
