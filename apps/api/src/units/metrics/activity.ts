import type { Recorded } from '@verbatim/domain';

/** Counts events since this process started, whichever replica recorded them: a measure of activity. */
export class Activity {
  messages = 0;
  registrations = 0;

  handle(events: readonly Recorded[]): void {
    for (const event of events) {
      if (event.type === 'MessagePosted') this.messages += 1;
      else if (event.type === 'UserRegistered' && event.data.origin !== 'webhook') this.registrations += 1;
    }
  }
}
