import type { Rejection } from '@verbatim/domain';
import { type ClientEvent, spentByFrame } from '@verbatim/protocol';
import { LRUCache } from 'lru-cache';
import { addressKey } from './address-key.js';
import { Allowance, type Ledger } from './allowance.js';
import type { LimitSettings } from './limit-settings.js';
import { limited, limitedFor } from './limited.js';
import { OpenCounts } from './open-counts.js';
import { unlimited } from './rate.js';

/** Accounts, and addresses per limit, kept in memory. Evicted ones start over with a full allowance. */
const REMEMBERED = 50_000;
/** Rate-limit errors after which a connection is closed. */
const PATIENCE = { count: 100, seconds: 60 };

/** The allowances of one account. */
export interface AccountAllowances {
  readonly posts: Allowance;
  readonly writes: Allowance;
  readonly reads: Allowance;
  readonly search: Allowance;
  readonly passwords: Allowance;
  readonly reading: ReadTime;
}
export type Spending = Exclude<keyof AccountAllowances, 'reading'>;

/** Reading time of an account or address, in milliseconds. */
export interface ReadTime {
  /** Overall budget: readers without any left are rejected. */
  readonly budget: Allowance;
  /** Burst budget: readers without any left wait briefly. */
  readonly pace: Allowance;
}

/** Bursts of 100 ms of reading, then a third of the time. */
const READ_PACE = { count: 100, seconds: 0.3 };

/** The allowances of one connection, kept with it so that checking a frame needs no lookup. */
export interface ConnectionAllowances {
  readonly frames: Allowance;
  readonly posts: Allowance;
  readonly patience: Allowance;
  readonly account: AccountAllowances;
}

/** All limits kept in memory, which is bounded. */
export class Limits {
  readonly socketsOfAccounts: OpenCounts;
  readonly socketsOfAddresses: OpenCounts;
  readonly requestsOfAccounts: OpenCounts;
  private readonly accounts = new LRUCache<string, AccountAllowances>({ max: REMEMBERED });
  private readonly participants = new LRUCache<string, Pick<AccountAllowances, 'posts' | 'reads'>>({ max: REMEMBERED });
  private readonly visitors = new LRUCache<string, Allowance>({ max: REMEMBERED });
  private readonly upgrades = new LRUCache<string, Allowance>({ max: REMEMBERED });
  private readonly roomPasswords = new LRUCache<string, Allowance>({ max: REMEMBERED });
  private readonly visitorsReading = new LRUCache<string, ReadTime>({ max: REMEMBERED });

  constructor(
    private readonly settings: LimitSettings,
    private readonly ledger: Ledger,
  ) {
    this.socketsOfAccounts = new OpenCounts(settings.LIMIT_SOCKETS);
    this.socketsOfAddresses = new OpenCounts(settings.LIMIT_SOCKETS_ADDRESS);
    this.requestsOfAccounts = new OpenCounts(settings.LIMIT_REQUESTS);
  }

  account(userId: string): AccountAllowances {
    const known = this.accounts.get(userId);
    if (known) return known;
    const of = (name: string, rate: keyof LimitSettings) =>
      new Allowance(this.settings[rate as 'LIMIT_POSTS'], `${name} ${userId}`, this.ledger);
    const allowances = {
      posts: of('posts', 'LIMIT_POSTS'),
      writes: of('writes', 'LIMIT_WRITES'),
      reads: of('reads', 'LIMIT_READS'),
      search: of('search', 'LIMIT_SEARCH'),
      passwords: of('passwords', 'LIMIT_ROOM_PASSWORDS'),
      reading: { budget: of('read time', 'LIMIT_READ_TIME'), pace: this.pace() },
    };
    this.accounts.set(userId, allowances);
    return allowances;
  }

  /** The allowances of a participant without an account. `key` must be proven to be theirs. */
  participant(key: string): Pick<AccountAllowances, 'posts' | 'reads'> {
    const known = this.participants.get(key);
    if (known) return known;
    const { LIMIT_POSTS, LIMIT_READS } = this.settings;
    const allowances = { posts: new Allowance(LIMIT_POSTS), reads: new Allowance(LIMIT_READS) };
    this.participants.set(key, allowances);
    return allowances;
  }

  connection(userId: string): ConnectionAllowances {
    return {
      frames: new Allowance(this.settings.LIMIT_FRAMES),
      posts: new Allowance(this.settings.LIMIT_POSTS_CONNECTION),
      patience: new Allowance(PATIENCE),
      account: this.account(userId),
    };
  }

  /** Counts an unauthenticated request; rejects it if there were too many from this address. */
  visit(address: string): Rejection | null {
    return limitedFor(this.of(this.visitors, address, 'LIMIT_VISITORS').spend());
  }

  /** Counts an attempt at a room's password by someone without an account; rejects it if there were too many. */
  guess(address: string, roomId: string): Rejection | null {
    const key = `${addressKey(address)} ${roomId}`;
    const allowance = this.roomPasswords.get(key) ?? new Allowance(this.settings.LIMIT_ROOM_PASSWORDS);
    this.roomPasswords.set(key, allowance);
    return limitedFor(allowance.spend());
  }

  /** Reading time of unauthenticated clients at this address. */
  visitorReading(address: string): ReadTime {
    const key = addressKey(address);
    const known = this.visitorsReading.get(key);
    const reading = known ?? { budget: new Allowance(this.settings.LIMIT_READ_TIME), pace: this.pace() };
    this.visitorsReading.set(key, reading);
    return reading;
  }

  private pace(): Allowance {
    return new Allowance(Number.isFinite(this.settings.LIMIT_READ_TIME.count) ? READ_PACE : unlimited);
  }

  /** Counts an attempt to open a socket; rejects it if there were too many, or too many are open. */
  refuseUpgrade(address: string): Rejection | null {
    const wait = this.of(this.upgrades, address, 'LIMIT_UPGRADES').spend();
    if (wait > 0) return limited(wait);
    return this.socketsOfAddresses.full(addressKey(address)) ? limited(1_000) : null;
  }

  private of(known: LRUCache<string, Allowance>, address: string, rate: 'LIMIT_VISITORS' | 'LIMIT_UPGRADES') {
    const key = addressKey(address);
    const allowance = known.get(key) ?? new Allowance(this.settings[rate]);
    known.set(key, allowance);
    return allowance;
  }
}

/** Counts a frame. Returns the milliseconds to wait, or 0. */
export function spend({ posts, account }: ConnectionAllowances, event: ClientEvent): number {
  const what = spentByFrame[event];
  if (what === null) return 0;
  const now = performance.now();
  return (what === 'posts' ? posts.spend(now) : 0) || account[what].spend(now);
}
