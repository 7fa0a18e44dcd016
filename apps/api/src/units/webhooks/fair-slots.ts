/** How quickly a receiver last responded: `unknown` before its first response, `slow` also after a failure. */
export type Pace = 'quick' | 'unknown' | 'slow';

/** What a delivery counts against, and how quick its receiver is. */
export interface Turn {
  readonly owner: string;
  readonly room: string;
  readonly pace: Pace;
}

export const fairSlotsLimits = {
  /** Deliveries in progress at a time. */
  slots: 128,
  /** How many slots may be in use when a delivery of this pace begins; the rest is reserved for quicker ones. */
  open: { slow: 64, unknown: 96, quick: 128 },
  /** Deliveries of one owner in progress at a time, in all rooms. */
  ofOwner: 16,
  /** Deliveries of one owner, and of one room, beyond which the next one counts as slow, whatever its pace. */
  atOnce: 4,
  /**
   * The time budget of an owner, and of a room: slots used on average over about half a minute, so 15 s of receivers' time in
   * 30 s. Above it, deliveries count as slow.
   */
  budget: 0.5,
  /** Milliseconds over which the average is taken: the time constant of an exponentially weighted moving average. */
  averageMs: 30_000,
} as const;

/** Number of owners or rooms above which idle ones are dropped. */
const MAX_SHARES = 1_000;

interface Waiting {
  readonly turn: Turn;
  readonly begin: () => void;
}

/**
 * Shares the slots of deliveries fairly among owners and rooms, by the time that their receivers take. The one that has
 * used least recently comes first. A delivery in progress cannot be interrupted, so a bound on concurrent deliveries and
 * slots reserved for quick receivers keep a slow owner from using all slots. Above their budget, owners and rooms get what
 * others leave.
 */
export class FairSlots {
  private running = 0;
  private readonly owners: Shares;
  private readonly rooms: Shares;
  /** By owner and room. */
  private readonly waiting = new Map<string, Map<string, Waiting[]>>();

  /** @param now milliseconds of a clock that only goes forward */
  constructor(
    private readonly limits: FairSlotsLimits = fairSlotsLimits,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.owners = new Shares(limits.averageMs);
    this.rooms = new Shares(limits.averageMs);
  }

  /** Runs `work` when it is its turn. */
  async run<T>(turn: Turn, work: () => Promise<T>): Promise<T> {
    await this.acquire(turn);
    try {
      return await work();
    } finally {
      this.release(turn);
    }
  }

  private acquire(turn: Turn): Promise<void> {
    return new Promise((begin) => {
      const rooms = this.waiting.get(turn.owner) ?? new Map<string, Waiting[]>();
      this.waiting.set(turn.owner, rooms);
      const queue = rooms.get(turn.room) ?? [];
      rooms.set(turn.room, queue);
      queue.push({ turn, begin });
      this.serve();
    });
  }

  private release(turn: Turn): void {
    this.use(turn, -1, this.now());
    this.serve();
  }

  private use({ owner, room }: Turn, by: 1 | -1, now: number): void {
    this.running += by;
    this.owners.of(owner, now).change(by, now);
    this.rooms.of(room, now).change(by, now);
  }

  /** Begins all deliveries that may begin now, in order of their owner's and room's usage. */
  private serve(): void {
    const now = this.now();
    for (let next = this.next(now); next; next = this.next(now)) {
      this.use(next.turn, 1, now);
      next.begin();
    }
    this.owners.forgetIdle(now);
    this.rooms.forgetIdle(now);
  }

  private next(now: number): Waiting | null {
    if (this.running >= this.limits.slots) return null;
    let best: { readonly queue: Waiting[]; readonly place: number; readonly used: number } | null = null;
    for (const [owner, rooms] of this.waiting) {
      const ownerShare = this.owners.of(owner, now);
      if (ownerShare.running >= this.limits.ofOwner || !this.mayBegin(ownerShare, 'quick')) continue;
      for (const [room, queue] of rooms) {
        const roomShare = this.rooms.of(room, now);
        const used = Math.max(ownerShare.used, roomShare.used);
        if (best && used >= best.used) continue;
        const place = queue.findIndex(
          ({ turn }) => this.mayBegin(ownerShare, turn.pace) && this.mayBegin(roomShare, turn.pace),
        );
        if (place >= 0) best = { queue, place, used };
      }
    }
    return best && this.dequeue(best.queue, best.place);
  }

  /** Whether enough slots are free for this pace, or for the slowest one if the owner or room is above its share. */
  private mayBegin({ running, used }: Share, pace: Pace): boolean {
    const { atOnce, budget, open } = this.limits;
    return this.running < (running >= atOnce || used > budget ? open.slow : open[pace]);
  }

  private dequeue(queue: Waiting[], place: number): Waiting {
    const [taken] = queue.splice(place, 1) as [Waiting];
    const { owner, room } = taken.turn;
    const rooms = this.waiting.get(owner);
    if (queue.length === 0) rooms?.delete(room);
    if (rooms?.size === 0) this.waiting.delete(owner);
    return taken;
  }
}

export type FairSlotsLimits = {
  readonly [K in keyof typeof fairSlotsLimits]: K extends 'open' ? Readonly<Record<Pace, number>> : number;
};

/** What one owner or room uses: slots now, and on average lately. */
class Share {
  running = 0;
  used = 0;

  constructor(
    private at: number,
    private readonly averageMs: number,
  ) {}

  /** Updates the average to now. */
  settle(now: number): this {
    const kept = Math.exp((this.at - now) / this.averageMs);
    this.used = this.running + (this.used - this.running) * kept;
    this.at = now;
    return this;
  }

  change(by: 1 | -1, now: number): void {
    this.settle(now).running += by;
  }
}

class Shares {
  private readonly byId = new Map<string, Share>();
  private forgotAt = 0;

  constructor(private readonly averageMs: number) {}

  /** The current share of an owner or room. */
  of(id: string, now: number): Share {
    const share = this.byId.get(id) ?? new Share(now, this.averageMs);
    this.byId.set(id, share);
    return share.settle(now);
  }

  /** Once there are many, drops those that run nothing and have used almost nothing; no more often than averages change. */
  forgetIdle(now: number): void {
    if (this.byId.size <= MAX_SHARES || now - this.forgotAt < this.averageMs) return;
    this.forgotAt = now;
    for (const [id, share] of this.byId) if (share.running === 0 && share.settle(now).used < 0.01) this.byId.delete(id);
  }
}
