import type { TroubleLog } from '@verbatim/event-store';
import type { Caretaker } from '../../application/ephemeral-chats/caretaker.js';

/** Milliseconds; tests shorten it. Texts of closed chats are erased within this time plus the farewell time. */
export const cleanUpTimes = { every: 5_000 };

/** Cleans up chats every few seconds, one round at a time. */
export class CleanUps {
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<void> | null = null;

  constructor(
    private readonly caretaker: Caretaker,
    private readonly log: TroubleLog,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.begin(), cleanUpTimes.every).unref();
    this.begin();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.round;
  }

  private begin(): void {
    this.round ??= this.caretaker
      .lookAfter()
      .catch((error: unknown) => this.log.warn({ err: error }, 'the clean-up of chats failed; trying again'))
      .finally(() => {
        this.round = null;
      });
  }
}
