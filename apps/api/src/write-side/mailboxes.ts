import { type Happened, type Recorded, type Rejection, streamName } from '@verbatim/domain';
import { type AnyCommand, type Context, type Decided, Mailbox, type MailboxParts } from './mailbox.js';

/** Limits of all mailboxes of a kind; beyond them the longest unused idle ones are dropped. */
export const mailboxesLimits = {
  mailboxes: 20_000,
  /** Bytes of their states, by estimate. */
  bytes: 268_435_456,
};
/** Milliseconds after which an unused mailbox is dropped. */
const IDLE_MS = 10 * 60_000;

/** All mailboxes of one kind of stream in this process. */
export class Mailboxes<S, C, E extends Happened> {
  private readonly open = new Map<string, Mailbox<S, C, E>>();
  /** What each of them weighed when last looked at, and all together. */
  private readonly weights = new Map<string, number>();
  /** Those that are to be dropped when they are idle. */
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

  /** Why nothing would be recorded now for such a command; for those who prepare something before they send it. */
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

  /** The state of an entity as of now; costs a look at the store. */
  newest(id: string): Promise<{ state: S; revision: bigint; position: bigint }> {
    return this.mailbox(id).newest();
  }

  /** The state of an entity as of now, or as far as it is known without the store; see Mailbox.newestKnown. */
  newestKnown(id: string): Promise<{ state: S; revision: bigint; position: bigint; confirmed: boolean }> {
    return this.mailbox(id).newestKnown();
  }

  /** Forgets what is in memory of an entity; while it is just being changed, some time later. */
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
      // Put back at the end, so that they stand in the order of their last use.
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

  /** Measures a state when it was loaded and at each sweep; in between it grows little. */
  private weigh(id: string): void {
    const weight = this.open.get(id)?.weight ?? 0;
    this.weight += weight - (this.weights.get(id) ?? 0);
    if (weight > 0) this.weights.set(id, weight);
    else this.weights.delete(id);
  }

  /** Drops those unused for long, and further ones until no more than `most` are left and they are not too heavy. */
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
