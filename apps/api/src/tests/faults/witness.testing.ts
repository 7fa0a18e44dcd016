import type { Client } from '@verbatim/client';
import type { Heard, Hearing } from './history.testing.js';
import { heardForm } from './reading-back.testing.js';

/** Listens to one room, through one client after the other, and keeps everything in the order in which it came. */
export class Witness {
  /** What a client reported besides events: nothing, in a run without faults. */
  readonly troubles: string[] = [];
  private readonly events: Heard[] = [];
  private leave: () => void = () => {};
  private listening = false;

  constructor(
    private readonly who: string,
    private readonly room: string,
    /** The revision after which it begins, -1 for the beginning. */
    private readonly after: number,
    /** Called whenever events came. */
    private readonly heard: () => void = () => undefined,
  ) {}

  /** The last revision heard. */
  get last(): number {
    return this.events.at(-1)?.revision ?? this.after;
  }

  /** Goes on after the last event heard. */
  listen(client: Client): void {
    this.listening = true;
    const following = client.follow(this.room, {
      after: this.last,
      onEvents: (events) => {
        this.events.push(...events.map(heardForm));
        this.heard();
      },
      onReset: (reset) => void this.troubles.push(`${this.who} was sent to the history: ${JSON.stringify(reset)}`),
      onRemoved: (reason) => void this.troubles.push(`${this.who} was put out of room ${this.room}: ${reason}`),
      onError: (error) => void this.troubles.push(`${this.who} could not follow room ${this.room}: ${error}`),
    });
    this.leave = () => following.close();
  }

  /** Hears nothing more until it listens again. */
  goAway(): void {
    this.leave();
    this.listening = false;
  }

  get hearing(): Hearing {
    const { who, room, after, events } = this;
    return { who, room, after, events, toTheEnd: this.listening };
  }
}
