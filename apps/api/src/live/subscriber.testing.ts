import type { Actor, Face } from '@verbatim/domain';
import { newId } from '../new-id.js';
import type { LiveEvent } from './live-event.js';
import type { EncodedEvents, Encoder, EndReason, Subscriber } from './subscriber.js';

/** What a test subscriber received, one line per item. */
type Line = string;

/** A line-based text protocol: `room:revision,revision`, `removed room`. Counts how often it encodes events. */
export class LineEncoder implements Encoder {
  encoded = 0;

  events(roomId: string, events: readonly LiveEvent[], face: Face): readonly EncodedEvents[] {
    this.encoded += 1;
    const last = events.at(-1) as LiveEvent;
    const texts = events.map(({ revision, actor }) => `${revision} ${actor?.username ?? '-'}`);
    return [{ roomId, through: last.revision, bytes: Buffer.from(`${face} ${texts.join(', ')}`) }];
  }

  removed = (_: string, reason: string) => Buffer.from(`removed: ${reason}`);
  presence = () => null;
  typing = () => null;
  changed = () => null;
  unwatched = () => null;
}

/** A subscriber without a connection, like a long-polling client between two polls. */
export class TestSubscriber implements Subscriber {
  readonly bytes: Buffer[] = [];
  readonly revisions: bigint[] = [];
  readonly sessionId = newId();
  ended: EndReason | null = null;
  congested = false;
  private waiters: (() => void)[] = [];

  constructor(
    public actor: Actor,
    readonly encoder: Encoder = new LineEncoder(),
    readonly username = actor.id,
  ) {}

  get open(): boolean {
    return this.ended === null;
  }

  get lines(): readonly Line[] {
    return this.bytes.map(String);
  }

  write(bytes: Buffer, events?: EncodedEvents): void {
    if (!this.open) return;
    this.bytes.push(bytes);
    const text = bytes.toString();
    if (events)
      for (const [, revision] of text.matchAll(/(\d+) [^,]+/g)) this.revisions.push(BigInt(revision as string));
  }

  drained(): Promise<void> {
    return this.congested && this.open ? new Promise((resolve) => this.waiters.push(resolve)) : Promise.resolve();
  }

  /** The client has received everything that was waiting. */
  drain(): void {
    this.congested = false;
    for (const resolve of this.waiters.splice(0)) resolve();
  }

  close(reason: EndReason): void {
    this.ended ??= reason;
    for (const resolve of this.waiters.splice(0)) resolve();
  }
}
