import { Refusal } from '../doors/refusal.js';
import { Allowance } from './allowance.js';
import { limited } from './limited.js';
import { unlimited } from './rate.js';

export interface ReadQueueLimits {
  /** Reads in work in this process. */
  readonly inWork: number;
  /** Reads of one reader in work, or whose answers have not been taken by the client yet. */
  readonly inWorkEach: number;
  /** Requests that may wait: of one reader, and of all. */
  readonly waitingEach: number;
  readonly waiting: number;
  /** Milliseconds after which a request gives up waiting. */
  readonly patienceMs: number;
}

export const readQueueLimits: ReadQueueLimits = {
  inWork: 16,
  inWorkEach: 2,
  waitingEach: 200,
  waiting: 2_000,
  patienceMs: 10_000,
};

/** A read's place in the queue. */
export interface ReadTurn {
  /** Resolves when the read may begin; rejects with a refusal if it has waited too long or was cancelled. */
  readonly begins: Promise<void>;
  /**
   * The answer is ready, so somebody else may work. Returns what the read cost in milliseconds. Reads that are in work at
   * the same time share the time that passes equally, so nobody pays for the load that others cause, and all reads
   * together cost no more than the time that has passed.
   */
  finish(): number;
  /** The client has taken the answer, or is gone. Cancels a read that has not begun. */
  leave(): void;
}

/** An account, or an address without one. */
interface Reader {
  readonly key: string;
  /** Milliseconds of reading that it has now. */
  readonly pace: Allowance;
  /** Rings when it has some again. */
  resting?: NodeJS.Timeout;
  /** Reads in work, or whose answers have not been taken. */
  present: number;
  readonly waiting: Read[];
}

interface Read {
  readonly reader: Reader;
  state: 'waiting' | 'working' | 'finished' | 'left';
  /** Of the shared clock. */
  begunAt: number;
  timer?: NodeJS.Timeout;
  begin(): void;
  refuse(refusal: Refusal): void;
}

/**
 * Readers take turns, so one with a thousand expensive reads keeps others waiting for no more than the few of them that
 * are in work. Who has used up their pace rests a moment, so that they do not keep the process busy all the time. A client
 * that does not take its answers keeps only its own further reads waiting.
 */
export class ReadQueue {
  private readonly readers = new Map<string, Reader>();
  /** Readers with a read that may begin, in the order of their turns. */
  private readonly ready = new Set<Reader>();
  private inWork = 0;
  private waiting = 0;
  /** A clock that runs at 1/n of the real one while n reads are in work. Milliseconds. */
  private sharedClock = 0;
  private sharedClockSetAt = 0;

  constructor(
    private readonly limits = readQueueLimits,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Readers with a read in work or waiting. */
  get size(): number {
    return this.readers.size;
  }

  /**
   * Queues a read; it is refused when too many wait already. A `patient` one waits as long as it takes; its caller bounds
   * how many of these there are.
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
      // Room is made by the one who has taken most of it.
      const most = [...this.readers.values()].reduce((a, b) => (b.waiting.length > a.waiting.length ? b : a));
      this.giveUp(most.waiting.at(-1) ?? read, busy());
    }
  }

  private giveUp(read: Read, refusal: Refusal): void {
    const { reader } = read;
    const index = reader.waiting.indexOf(read);
    if (index < 0) return;
    reader.waiting.splice(index, 1);
    this.waiting -= 1;
    read.state = 'left';
    clearTimeout(read.timer);
    read.refuse(refusal);
    this.line(reader);
  }

  /** Lines a reader up if one of its reads may begin, and forgets one who has none at all. */
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
      read.begin();
      // Behind everybody else.
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

/** Milliseconds after which those who found the queue full may try again. */
const RETRY_MS = 1_000;

const busy = () =>
  new Refusal('unavailable', 'Too much is being read at the moment. Try again later.', { retryAfterMs: RETRY_MS });

function newRead(reader: Reader): { read: Read; begins: Promise<void> } {
  const { promise, resolve, reject } = withResolvers();
  // Whoever cancels does not wait for it any more.
  promise.catch(() => undefined);
  return { read: { reader, state: 'waiting', begunAt: 0, begin: resolve, refuse: reject }, begins: promise };
}

/** `Promise.withResolvers`, which Node 20 does not have. */
function withResolvers() {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
