import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { addressKey } from '../limits/address-key.js';
import type { Allowance } from '../limits/allowance.js';
import { within } from '../limits/limited.js';
import type { Limits } from '../limits/limits.js';
import { ReadQueue } from './read-queue.js';

/** Milliseconds between two looks whether somebody who has used up their time still waits for what they asked for. */
const LOOK_MS = 1_000;

/** Who reads, and the milliseconds of reading they have. */
export interface ReaderOf {
  readonly key: string;
  readonly time: Allowance;
}

/** All reading on behalf of clients goes through here: fairly one after the other, and charged by the time it takes. */
export class Reads {
  private readonly queue = new ReadQueue();

  constructor(private readonly limits: Limits) {}

  account(userId: string): ReaderOf {
    return { key: userId, time: this.limits.account(userId).readTime };
  }

  visitor(address: string): ReaderOf {
    return { key: addressKey(address), time: this.limits.visitorReadTime(address) };
  }

  /** Refuses those who have used up their time. */
  admit({ time }: ReaderOf): void {
    within(time.wait());
  }

  /**
   * Makes an answer when it is the reader's turn. Refuses those who have used up their time, or have too much waiting.
   * Until the client has taken the answer it counts as one of the reader's reads in work.
   */
  async answer<T>(reader: ReaderOf, response: ServerResponse, read: () => Promise<T>): Promise<T> {
    this.admit(reader);
    const { key, time } = reader;
    const turn = this.queue.enter(key);
    onceGone(response, turn.leave);
    await turn.begins;
    try {
      // Those before it in the queue may have used up the rest.
      this.admit(reader);
      return await read();
    } finally {
      time.charge(turn.finish());
    }
  }

  /**
   * Reads a part of something long, such as history for a socket or a page of an export. Whoever has used up their time
   * waits, as long as it is still `wanted`. The caller takes one part at a time.
   */
  async part<T>({ key, time }: ReaderOf, read: () => Promise<T>, wanted = () => true): Promise<T> {
    for (let wait = time.wait(); wait > 0 && wanted(); wait = time.wait()) await sleep(Math.min(wait, LOOK_MS));
    const turn = this.queue.enter(key, { patient: true });
    await turn.begins;
    try {
      return await read();
    } finally {
      time.charge(turn.finish());
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
