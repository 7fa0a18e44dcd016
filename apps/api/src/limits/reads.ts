import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { addressKey } from './address-key.js';
import { within } from './limited.js';
import type { Limits, ReadTime } from './limits.js';
import { ReadQueue } from './read-queue.js';

/** Milliseconds between two looks whether somebody who has used up their time still waits for what they asked for. */
const LOOK_MS = 1_000;

/** Who reads, and how much. */
export interface ReaderOf {
  readonly key: string;
  readonly time: ReadTime;
}

/** All reading on behalf of clients goes through here: fairly one after the other, and charged by the time it takes. */
export class Reads {
  private readonly queue = new ReadQueue();

  constructor(private readonly limits: Limits) {}

  account(userId: string): ReaderOf {
    return { key: userId, time: this.limits.account(userId).reading };
  }

  visitor(address: string): ReaderOf {
    return { key: addressKey(address), time: this.limits.visitorReading(address) };
  }

  /** Refuses those who have used up their time. */
  admit({ time }: ReaderOf): void {
    within(time.budget.wait());
  }

  /**
   * Makes an answer when it is the reader's turn. Refuses those who have used up their time, or have too much waiting.
   * Until the client has taken the answer it counts as one of the reader's reads in work.
   */
  async answer<T>(reader: ReaderOf, response: ServerResponse, read: () => Promise<T>): Promise<T> {
    this.admit(reader);
    const { key, time } = reader;
    const turn = this.queue.enter(key, { pace: time.pace });
    onceGone(response, turn.leave);
    await turn.begins;
    try {
      // Those before it in the queue may have used up the rest.
      this.admit(reader);
      return await read();
    } finally {
      time.budget.charge(turn.finish());
    }
  }

  /**
   * Reads a part of something long, such as history for a socket or a page of an export. Whoever has used up their time
   * waits, as long as it is still `wanted`. The caller takes one part at a time.
   */
  async part<T>({ key, time }: ReaderOf, read: () => Promise<T>, wanted = () => true): Promise<T> {
    for (let wait = time.budget.wait(); wait > 0 && wanted(); wait = time.budget.wait())
      await sleep(Math.min(wait, LOOK_MS));
    const turn = this.queue.enter(key, { patient: true, pace: time.pace });
    await turn.begins;
    try {
      return await read();
    } finally {
      time.budget.charge(turn.finish());
      turn.leave();
    }
  }
}

/** Calls back once the client has got the response or is gone. */
function onceGone(response: ServerResponse, listener: () => void): void {
  const { socket } = response.req;
  const gone = () => {
    response.off('close', gone);
    socket.off('close', gone);
    listener();
  };
  if (response.closed || socket.destroyed) {
    listener();
    return;
  }
  response.once('close', gone);
  // A response that waits behind another one on the same connection is not told of the end of that connection.
  socket.setMaxListeners(0).once('close', gone);
}
