import { type Happened, type Recorded, type Rejection, streamName } from '@verbatim/domain';
import { type AnyCommand, type Context, type Decided, Mailbox, type MailboxParts } from './mailbox.js';

/** Limits of all mailboxes of a kind; beyond them the longest unused idle ones are dropped. */
export const mailboxesLimits = {
  mailboxes: 20_000,
  /** Estimated bytes of their states. */
  bytes: 268_435_456,
};
/** Milliseconds after which an unused mailbox is dropped. */
const IDLE_MS = 10 * 60_000;

/** All mailboxes of one kind of stream in this process. */
export class Mailboxes<S, C, E extends Happened> {
  private readonly open = new Map<string, Mailbox<S, C, E>>();
  /** The weight of each when last measured, and the total. */
  private readonly weights = new Map<string, number>();
  /** Mailboxes to drop once they are idle. */
  private readonly leaving = new Set<string>();
  private weight = 0;
  private readonly sweep: NodeJS.Timeout;

  constructor(
    private readonly parts: MailboxParts<S, C, E>,
    private readonly limits = mailboxesLimits,
  ) {
    this.sweep = setInterval(() => this.tidy(), IDLE_MS / 10);
    this.sweep.unref();
  }

  /** Mailboxes that are warm now, and the estimated size of their states in bytes. */
  get warm(): { readonly mailboxes: number; readonly bytes: number } {
    return { mailboxes: this.open.size, bytes: this.weight };
  }

  /** Decides a command for the entity with this id; see Mailbox.send. */
  send(id: string, command: C, context: Context): Promise<Decided<S> | Rejection> {
    return this.mailbox(id).send(command, context);
  }

  /** Why such a command would be refused now; for callers that prepare something before they send it. */
  refusal(command: AnyCommand): Rejection | null {
    return this.parts.gate?.refusal(command) ?? null;
  }

  /** The state that `current` would return, if it is in memory; null otherwise. */
  known(id: string): S | null {
    return this.open.get(id)?.known ?? null;
  }

  /** The state of an entity, at least as far as the feed has come; the initial state if there is no such entity. */
  current(id: string): Promise<{ state: S; revision: bigint; position: bigint }> {
    return this.mailbox(id).current();
  }

  /** The state of an entity as of now; costs a read of the store. */
  newest(id: string): Promise<{ state: S; revision: bigint; position: bigint }> {
    return this.mailbox(id).newest();
  }

  /** The state of an entity as of now, or as far as known without the store; see Mailbox.newestKnown. */
  newestKnown(id: string): Promise<{ state: S; revision: bigint; position: bigint; confirmed: boolean }> {
    return this.mailbox(id).newestKnown();
  }

  /** Drops an entity from memory; if it is being changed, a little later. */
  drop(id: string): void {
    const mailbox = this.open.get(id);
    if (mailbox && !mailbox.idle) this.leaving.add(id);
    else this.leaving.delete(id);
    if (!mailbox?.idle) return;
    this.open.delete(id);
    this.weigh(id);
  }

  /** The same for all entities. */
  dropAll(): void {
    for (const id of [...this.open.keys()]) this.drop(id);
  }

  /** Hands events of one stream from the feed to its mailbox, if it is warm. */
  handle(id: string, events: readonly Recorded[]): void {
    this.open.get(id)?.handle(events);
  }

  /** Resolves when no command is waiting or being appended, or after `milliseconds`. */
  async finish(milliseconds: number): Promise<void> {
    clearInterval(this.sweep);
    const end = Date.now() + milliseconds;
    while (Date.now() < end && [...this.open.values()].some((mailbox) => !mailbox.idle)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  private mailbox(id: string): Mailbox<S, C, E> {
    let mailbox = this.open.get(id);
    if (mailbox) {
      // Moved to the end, to keep them in order of last use.
      this.open.delete(id);
    } else {
      this.dropIdle(this.limits.mailboxes - 1);
      mailbox = new Mailbox(streamName(this.parts.decider.category, id), this.parts, () => this.weigh(id));
    }
    this.open.set(id, mailbox);
    return mailbox;
  }

  private tidy(): void {
    for (const id of [...this.leaving]) this.drop(id);
    for (const id of this.open.keys()) this.weigh(id);
    this.dropIdle(this.limits.mailboxes);
  }

  /** Measures a state when it is loaded and at each sweep; it grows little in between. */
  private weigh(id: string): void {
    const weight = this.open.get(id)?.weight ?? 0;
    this.weight += weight - (this.weights.get(id) ?? 0);
    if (weight > 0) this.weights.set(id, weight);
    else this.weights.delete(id);
  }

  /** Drops mailboxes that were unused for long, and more until at most `most` are left and they are not too heavy. */
  private dropIdle(most: number): void {
    const limit = Date.now() - IDLE_MS;
    for (const [id, mailbox] of this.open) {
      const fits = this.open.size <= most && this.weight <= this.limits.bytes;
      if (mailbox.lastUsed >= limit && fits) return;
      if (!mailbox.idle) continue;
      this.open.delete(id);
      this.weigh(id);
    }
  }
}
