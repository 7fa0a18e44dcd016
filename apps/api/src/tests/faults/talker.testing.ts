import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, OutcomeUnknown, VerbatimError } from '@verbatim/client';
import type { Attempt, Outcome } from './history.testing.js';
import type { Seeded } from './seeded.testing.js';

/** One message out of so many is posted once more, as by somebody who did not see the answer. */
const AGAIN = 10;
/** Messages of one person that may be on their way at a time. */
const LANES = 2;

/** Posts all the time, with its own ids, and records the answer for each message. */
export class Talker {
  readonly attempts: Attempt[] = [];
  /** When messages were acknowledged, in milliseconds of `performance.now()`. */
  readonly acknowledgedAt: number[] = [];
  /** The longest time from posting a message to its acknowledgement, in milliseconds. */
  longestWait = 0;
  private count = 0;

  constructor(
    private readonly name: string,
    private readonly client: Client,
    private readonly rooms: readonly string[],
    private readonly random: Seeded,
    /** Milliseconds between an answer and the next message, at least and at most. */
    private readonly pauses: readonly [number, number] = [50, 350],
  ) {}

  /** Resolves once it was stopped and every message in flight was answered or given up. */
  async talk(end: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: LANES }, () => this.talkInLane(end)));
  }

  private async talkInLane(end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      await this.post(this.next());
      await sleep(this.random.between(...this.pauses), undefined, { signal: end }).catch(() => {});
    }
  }

  private next(): Omit<Attempt, 'outcome'> {
    const earlier = this.attempts.length > 0 && this.random.between(1, AGAIN) === 1;
    if (earlier) return this.random.pick(this.attempts.slice(-100));
    return { room: this.random.pick(this.rooms), id: randomUUID(), text: `${this.name} says ${++this.count}` };
  }

  private async post({ room, id, text }: Omit<Attempt, 'outcome'>): Promise<void> {
    const posted = performance.now();
    const deadlineMs = this.random.pick([1_000, 5_000, 20_000]);
    const outcome = await this.client.post(room, text, { id, deadlineMs }).then(
      ({ revision }): Outcome => ({ is: 'acknowledged', revision }),
      (error: unknown) => outcomeOf(error),
    );
    this.attempts.push({ room, id, text, outcome });
    if (outcome.is !== 'acknowledged') return;
    this.acknowledgedAt.push(performance.now());
    this.longestWait = Math.max(this.longestWait, performance.now() - posted);
  }
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof OutcomeUnknown) return { is: 'unknown' };
  if (error instanceof VerbatimError) return { is: 'refused', code: error.code };
  throw error;
}
