import { type Rejection, reject } from '@verbatim/domain';
import { Allowance } from './allowance.js';
import { limited } from './limited.js';
import { unlimited } from './rate.js';

interface ReadQueueLimits {
  /** Reads running in this process. */
  readonly inWork: number;
  /** Reads of one reader that are running or whose responses the client has not received yet. */
  readonly inWorkEach: number;
  /** Waiting requests allowed for one reader, and for all readers together. */
  readonly waitingEach: number;
  readonly waiting: number;
  /** Milliseconds that a request may wait. */
  readonly patienceMs: number;
}

const readQueueLimits: ReadQueueLimits = {
  inWork: 16,
  inWorkEach: 2,
  waitingEach: 200,
  waiting: 2_000,
  patienceMs: 10_000,
};

/** A read's place in the queue. */
export interface ReadTurn {
  /** Resolves with null when the read may start, or with a rejection if it has waited too long or was cancelled. */
  readonly begins: Promise<Rejection | null>;
  /**
   * The response is ready, so the next read may run. Returns the cost of the read in milliseconds. Concurrent reads share
   * elapsed time equally, so a reader does not pay for the load of others, and all reads together cost no more than the
   * time that has passed.
   */
  finish(): number;
  /** The client has received the response or disconnected. Cancels a read that has not started. */
  leave(): void;
}

/** An account, or the address of an unauthenticated client. */
interface Reader {
  readonly key: string;
  /** Milliseconds of reading available now. */
  readonly pace: Allowance;
  /** Fires when reading time is available again. */
  resting?: NodeJS.Timeout;
  /** Reads that are running or whose responses have not been received. */
  present: number;
  readonly waiting: Read[];
}

interface Read {
  readonly reader: Reader;
  state: 'waiting' | 'working' | 'finished' | 'left';
  /** Time of the shared clock. */
  begunAt: number;
  timer?: NodeJS.Timeout;
  begin(rejection: Rejection | null): void;
}

/**
 * Schedules reads round-robin by reader, so a reader with a thousand expensive reads delays others only by the few that are
 * running. A reader that exceeds its pace is paused briefly, so that it does not keep the process busy all the time. A
 * client that does not read its responses delays only its own further reads.
 */
export class ReadQueue {
  private readonly readers = new Map<string, Reader>();
  /** Readers with a read that may start, in turn order. */
  private readonly ready = new Set<Reader>();
  private inWork = 0;
  private waiting = 0;
  /** A clock that runs at 1/n of real time while n reads are running. Milliseconds. */
  private sharedClock = 0;
  private sharedClockSetAt = 0;

  constructor(
    private readonly limits = readQueueLimits,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Readers with a running or waiting read. */
  get size(): number {
    return this.readers.size;
  }

  /**
   * Enqueues a read, or rejects it if too many are waiting. A `patient` read waits indefinitely; the caller bounds their
   * number.
   */
  enter(key: string, { patient = false, pace = new Allowance(unlimited) } = {}): ReadTurn {
    const reader = this.readers.get(key) ?? { key, pace, present: 0, waiting: [] };
    this.readers.set(key, reader);
    const { read, begins } = newRead(reader);
    reader.waiting.push(read);
    this.waiting += 1;
    this.line(reader);
    this.beginReady();
    if (read.state === 'waiting' && !patient) {
      read.timer = setTimeout(() => this.giveUp(read, busy()), this.limits.patienceMs);
      this.refuseOverflow(reader, read);
    }
    return { begins, finish: () => this.finish(read), leave: () => this.leave(read) };
  }

  private refuseOverflow(reader: Reader, read: Read): void {
    const { waitingEach, waiting } = this.limits;
    if (reader.waiting.length > waitingEach) {
      this.giveUp(read, limited(RETRY_MS));
    } else if (this.waiting > waiting) {
      // Make room by rejecting a read of the reader with the longest queue.
      const most = [...this.readers.values()].reduce((a, b) => (b.waiting.length > a.waiting.length ? b : a));
      this.giveUp(most.waiting.at(-1) ?? read, busy());
    }
  }

  private giveUp(read: Read, rejection: Rejection): void {
    const { reader } = read;
    const index = reader.waiting.indexOf(read);
    if (index < 0) return;
    reader.waiting.splice(index, 1);
    this.waiting -= 1;
    read.state = 'left';
    clearTimeout(read.timer);
    read.begin(rejection);
    this.line(reader);
  }

  /** Marks a reader as ready if one of its reads may start, and drops a reader without any reads. */
  private line(reader: Reader): void {
    clearTimeout(reader.resting);
    const mayBegin = reader.waiting.length > 0 && reader.present < this.limits.inWorkEach;
    const rest = mayBegin ? reader.pace.wait(this.now()) : 0;
    if (mayBegin && rest === 0) this.ready.add(reader);
    else this.ready.delete(reader);
    if (rest > 0) reader.resting = setTimeout(() => this.lineAgain(reader), rest);
    if (reader.waiting.length === 0 && reader.present === 0) this.readers.delete(reader.key);
  }

  private lineAgain(reader: Reader): void {
    this.line(reader);
    this.beginReady();
  }

  private beginReady(): void {
    for (const reader of this.ready) {
      if (this.inWork >= this.limits.inWork) return;
      this.ready.delete(reader);
      const read = reader.waiting.shift();
      if (!read) continue;
      this.waiting -= 1;
      clearTimeout(read.timer);
      read.state = 'working';
      read.begunAt = this.readSharedClock();
      this.inWork += 1;
      reader.present += 1;
      read.begin(null);
      // To the end of the line.
      this.line(reader);
    }
  }

  private finish(read: Read): number {
    if (read.state !== 'working') return 0;
    const cost = this.readSharedClock() - read.begunAt;
    read.state = 'finished';
    this.inWork -= 1;
    read.reader.pace.charge(cost, this.now());
    this.lineAgain(read.reader);
    return cost;
  }

  private leave(read: Read): void {
    if (read.state === 'waiting') this.giveUp(read, busy());
    if (read.state === 'left') return;
    this.finish(read);
    read.state = 'left';
    read.reader.present -= 1;
    this.line(read.reader);
    this.beginReady();
  }

  private readSharedClock(): number {
    const now = this.now();
    if (this.inWork > 0) this.sharedClock += (now - this.sharedClockSetAt) / this.inWork;
    this.sharedClockSetAt = now;
    return this.sharedClock;
  }
}

/** Retry delay when the queue is full, in milliseconds. */
const RETRY_MS = 1_000;

const busy = () => reject('Unavailable', 'Too many reads are in progress. Try again later.', RETRY_MS);

function newRead(reader: Reader): { read: Read; begins: Promise<Rejection | null> } {
  const read: Read = { reader, state: 'waiting', begunAt: 0, begin: () => undefined };
  const begins = new Promise<Rejection | null>((resolve) => {
    read.begin = resolve;
  });
  return { read, begins };
}
