import { type Happened, type Recorded, type Rejection, streamName } from '@verbatim/domain';
import { type Context, type Decided, Mailbox, type MailboxParts } from './mailbox.js';

/** Mailboxes kept warm; beyond this the longest unused idle ones go. */
const MOST = 20_000;
/** Milliseconds after which an unused mailbox is dropped. */
const IDLE = 10 * 60_000;

/** All mailboxes of one kind of stream in this process. */
export class Mailboxes<S, C, E extends Happened> {
  private readonly open = new Map<string, Mailbox<S, C, E>>();
  private readonly sweep: NodeJS.Timeout;

  constructor(private readonly parts: MailboxParts<S, C, E>) {
    this.sweep = setInterval(() => this.dropIdle(MOST), IDLE / 10);
    this.sweep.unref();
  }

  /** Decides a command for the entity with this id; see Mailbox.send. */
  send(id: string, command: C, context: Context): Promise<Decided<S> | Rejection> {
    return this.mailbox(id).send(command, context);
  }

  /** The state of an entity, at least as far as the feed has come; the initial state if there is no such entity. */
  current(id: string): Promise<{ state: S; revision: bigint; position: bigint }> {
    return this.mailbox(id).current();
  }

  /** The state of an entity as of now; costs a look at the store. */
  newest(id: string): Promise<{ state: S; revision: bigint; position: bigint }> {
    return this.mailbox(id).newest();
  }

  /** Hands events of one stream from the feed to its mailbox, if it is warm. */
  take(id: string, events: readonly Recorded[]): void {
    this.open.get(id)?.take(events);
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
      this.dropIdle(MOST - 1);
      mailbox = new Mailbox(streamName(this.parts.decider.category, id), this.parts);
    }
    this.open.set(id, mailbox);
    return mailbox;
  }

  /** Drops those unused for long, and further ones until no more than `most` are left. */
  private dropIdle(most: number): void {
    const limit = Date.now() - IDLE;
    for (const [id, mailbox] of this.open) {
      if (mailbox.lastUsed >= limit && this.open.size <= most) return;
      if (mailbox.idle) this.open.delete(id);
    }
  }
}
