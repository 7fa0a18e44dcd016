import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Rejection } from '@verbatim/domain';
import { addressKey } from './address-key.js';
import { limitedFor } from './limited.js';
import type { Limits, ReadTime } from './limits.js';
import { ReadQueue } from './read-queue.js';

/** How often to check whether a reader without reading time left still wants the read. */
const CHECK_WANTED_MS = 1_000;

/** A reader and its reading time. */
export interface ReaderOf {
  readonly key: string;
  readonly time: ReadTime;
}

/** All reads for clients go through here: scheduled fairly, and charged by duration. */
export class Reads {
  private readonly queue = new ReadQueue();

  constructor(private readonly limits: Limits) {}

  account(userId: string): ReaderOf {
    return { key: userId, time: this.limits.account(userId).reading };
  }

  visitor(address: string): ReaderOf {
    return { key: addressKey(address), time: this.limits.visitorReading(address) };
  }

  /** The rejection of a reader that has used up its reading time; null otherwise. */
  refusal({ time }: ReaderOf): Rejection | null {
    return limitedFor(time.budget.wait());
  }

  /**
   * Runs a read when it is the reader's turn. Rejects readers that have used up their time or have too many reads
   * waiting. The read counts as running until the client has received the response.
   */
  async answer<T>(reader: ReaderOf, response: ServerResponse, read: () => Promise<T>): Promise<T | Rejection> {
    const refused = this.refusal(reader);
    if (refused) return refused;
    const { key, time } = reader;
    const turn = this.queue.enter(key, { pace: time.pace });
    onceGone(response, turn.leave);
    const cancelled = await turn.begins;
    if (cancelled) return cancelled;
    try {
      // Earlier reads in the queue may have used up the rest.
      return this.refusal(reader) ?? (await read());
    } finally {
      time.budget.charge(turn.finish());
    }
  }

  /**
   * Reads one part of a long result, such as a page of an export. A reader without time left waits while the part is still
   * `wanted`. The caller reads one part at a time.
   */
  async part<T>({ key, time }: ReaderOf, read: () => Promise<T>, wanted = () => true): Promise<T> {
    for (let wait = time.budget.wait(); wait > 0 && wanted(); wait = time.budget.wait())
      await sleep(Math.min(wait, CHECK_WANTED_MS));
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

/** Calls back once the client has received the response or disconnected. */
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
  // A response queued behind another on the same connection gets no event when that connection ends.
  socket.setMaxListeners(0).once('close', gone);
}
