import type { CommandBus } from '@nestjs/cqrs';
import { type ChatSide, type ChatStatus, isRejection, type Rejection } from '@verbatim/domain';
import { isUnavailable, settledInTime } from '@verbatim/event-store';
import {
  BeginAskingCommand,
  type ChatFindings,
  LookIntoChatCommand,
} from '../../application/ephemeral-chats/chat-looks.js';
import { newId } from '../../new-id.js';
import type { ChatListener } from '../../storage/ephemeral/chat-news.js';
import type { ChatCredentials, Participant } from '../../storage/ephemeral/chat-store.js';

/** Milliseconds; tests shorten some. */
export const pollTimes = {
  /** The longest poll; proxies cut connections after 30 s. */
  hold: 25_000,
  /** The shortest poll that a newer one of the same person ends: two tabs would otherwise keep ending each other's. */
  beforeNewer: 3_000,
  /** Between two checks while notifications do not arrive, or the database is down. */
  lookBlindly: 3_000,
  /** The longest poll while the service stops. */
  draining: 1_000,
  /** A check that takes longer has failed. */
  patience: 5_000,
};

type Findings = Omit<ChatFindings, 'poll'>;

/**
 * Polls: requests that wait for messages. The page never asks again after a failed poll, so whatever happens to the
 * service, each poll returns the known state within 25 s.
 */
export class Polls implements ChatListener {
  private readonly held = new Map<string, Set<HeldPoll>>();
  private stopping: 'no' | 'draining' | 'closed' = 'no';
  size = 0;

  constructor(
    private readonly commands: CommandBus,
    /** Whether notifications from other replicas arrive. */
    private readonly news: { readonly open: boolean },
  ) {}

  /** The current state for a participant, without waiting. */
  async look(credentials: ChatCredentials): Promise<Findings | Rejection> {
    const participant = await this.commands.execute(new BeginAskingCommand(credentials, null));
    if (isRejection(participant)) return participant;
    return this.commands.execute(new LookIntoChatCommand(credentials, participant.side));
  }

  /** Waits for messages or the end of the chat; without either, the list is empty. `gone` aborts when the client has disconnected. */
  async wait(credentials: ChatCredentials, gone: AbortSignal): Promise<Findings | Rejection> {
    const poll = new HeldPoll(newId());
    gone.addEventListener('abort', () => poll.endAt(0));
    this.size += 1;
    try {
      return await this.lookUntilFound(poll, credentials, gone);
    } finally {
      this.size -= 1;
      this.forget(poll);
    }
  }

  private async lookUntilFound(poll: HeldPoll, credentials: ChatCredentials, gone: AbortSignal) {
    let status: ChatStatus = 'draft';
    for (;;) {
      if (this.stopping !== 'no') poll.endAt(this.stopping === 'closed' ? 0 : poll.begunAt + pollTimes.draining);
      poll.woken = false;
      const found = await this.tryToLook(poll, credentials);
      if (found && isRejection(found)) return found;
      if (found) {
        status = found.status;
        if (found.messages.length > 0 || status === 'closed') return found;
        if (found.poll !== poll.id) poll.yield();
      }
      if (poll.over || gone.aborted) return { status, messages: [] };
      await poll.rest(found && this.news.open ? pollTimes.hold : pollTimes.lookBlindly);
    }
  }

  /** Null: the database is down. */
  private async tryToLook(poll: HeldPoll, credentials: ChatCredentials): Promise<ChatFindings | Rejection | null> {
    try {
      if (!poll.participant) {
        const participant = await inTime(this.commands.execute(new BeginAskingCommand(credentials, poll.id)));
        if (isRejection(participant)) return participant;
        this.remember(poll, participant);
      }
      const { side } = poll.participant as Participant;
      const found = await inTime(this.commands.execute(new LookIntoChatCommand(credentials, side)));
      return isRejection(found) && found.rejected === 'Unavailable' ? null : found;
    } catch (error) {
      if (isUnavailable(error) || error instanceof Slow) return null;
      throw error;
    }
  }

  // Notifications -----------------------------------------------------------------------------------------------------

  changed(chatId: string): void {
    for (const poll of this.held.get(chatId) ?? []) poll.wake();
  }

  /** At their next check, older polls notice the newer one. */
  polled(chatId: string, side: ChatSide, newest: string): void {
    for (const poll of this.held.get(chatId) ?? [])
      if (poll.participant?.side === side && poll.id !== newest) poll.wake();
  }

  missed(): void {
    for (const polls of this.held.values()) for (const poll of polls) poll.wake();
  }

  /** When the service stops: ends all polls, and shortens those that still arrive. */
  drain(): void {
    this.stopping = 'draining';
    this.endAll();
  }

  close(): void {
    this.stopping = 'closed';
    this.endAll();
  }

  get isStopping(): boolean {
    return this.stopping !== 'no';
  }

  private endAll(): void {
    for (const polls of this.held.values()) for (const poll of polls) poll.endAt(0);
  }

  private remember(poll: HeldPoll, participant: Participant): void {
    poll.participant = participant;
    const polls = this.held.get(participant.chatId) ?? new Set();
    this.held.set(participant.chatId, polls.add(poll));
    this.polled(participant.chatId, participant.side, poll.id);
  }

  private forget(poll: HeldPoll): void {
    const { chatId = '' } = poll.participant ?? {};
    const polls = this.held.get(chatId);
    polls?.delete(poll);
    if (polls?.size === 0) this.held.delete(chatId);
  }
}

/** One waiting request. */
class HeldPoll {
  readonly begunAt = performance.now();
  participant: Participant | null = null;
  /** Whether something has happened since the last check. */
  woken = false;
  private end = this.begunAt + pollTimes.hold;
  private stir = () => {};

  constructor(readonly id: string) {}

  get over(): boolean {
    return performance.now() >= this.end;
  }

  wake(): void {
    this.woken = true;
    this.stir();
  }

  /** Ends in favour of a newer poll of the same person, but not immediately. */
  yield(): void {
    this.endAt(this.begunAt + pollTimes.beforeNewer);
  }

  endAt(time: number): void {
    if (time >= this.end) return;
    this.end = time;
    this.stir();
  }

  /** Resolves when something happens, the poll ends, or this many milliseconds have passed. */
  async rest(most: number): Promise<void> {
    while (!this.woken && !this.over) {
      const left = Math.min(most, this.end - performance.now());
      let rested = false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          rested = true;
          resolve();
        }, left);
        this.stir = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.stir = () => {};
      if (rested) return;
    }
  }
}

class Slow extends Error {}

const inTime = <T>(work: Promise<T>): Promise<T> => settledInTime(work, pollTimes.patience, () => new Slow());
