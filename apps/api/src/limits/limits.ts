import { type CallName, type ClientEvent, calls, spentByFrame } from '@verbatim/protocol';
import { LRUCache } from 'lru-cache';
import type { Refusal } from '../doors/refusal.js';
import { addressKey } from './address-key.js';
import { Allowance, type Ledger } from './allowance.js';
import type { LimitSettings } from './limit-settings.js';
import { limited } from './limited.js';
import { OpenCounts } from './open-counts.js';
import { unlimited } from './rate.js';

/** Accounts, and addresses for each limit, that are remembered. Who was forgotten begins anew, with all allowed. */
const REMEMBERED = 50_000;
/** Refusals after which a connection is ended. */
const PATIENCE = { count: 100, seconds: 60 };

/** What one account may do. */
export interface AccountAllowances {
  readonly posts: Allowance;
  readonly writes: Allowance;
  readonly reads: Allowance;
  readonly search: Allowance;
  readonly passwords: Allowance;
  readonly reading: ReadTime;
}
export type Spending = Exclude<keyof AccountAllowances, 'reading'>;

/** Milliseconds of reading that an account or an address has. */
export interface ReadTime {
  /** In all: who has used it up is refused. */
  readonly budget: Allowance;
  /** At once: who has used it up waits a moment. */
  readonly pace: Allowance;
}

/** A tenth of a second of reading at once, and a third of the time from then on. */
const READ_PACE = { count: 100, seconds: 0.3 };

/** What one connection may do. It hangs on the connection, so that checking a frame looks up nothing. */
export interface ConnectionAllowances {
  readonly frames: Allowance;
  readonly posts: Allowance;
  readonly patience: Allowance;
  readonly account: AccountAllowances;
}

/** All limits that are kept in memory. None grows with the number of those who ask. */
export class Limits {
  readonly socketsOfAccounts: OpenCounts;
  readonly socketsOfAddresses: OpenCounts;
  readonly requestsOfAccounts: OpenCounts;
  private readonly accounts = new LRUCache<string, AccountAllowances>({ max: REMEMBERED });
  private readonly visitors = new LRUCache<string, Allowance>({ max: REMEMBERED });
  private readonly upgrades = new LRUCache<string, Allowance>({ max: REMEMBERED });
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

  connection(userId: string): ConnectionAllowances {
    return {
      frames: new Allowance(this.settings.LIMIT_FRAMES),
      posts: new Allowance(this.settings.LIMIT_POSTS_CONNECTION),
      patience: new Allowance(PATIENCE),
      account: this.account(userId),
    };
  }

  /** Counts a request of somebody who has not shown who they are. Answers the milliseconds to wait, 0 if none. */
  visit(address: string): number {
    return this.of(this.visitors, address, 'LIMIT_VISITORS').take();
  }

  /** What somebody at this address may read who has not shown who they are. */
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

  /** Counts an attempt to open a socket; tells why it may not be opened. */
  refuseUpgrade(address: string): Refusal | null {
    const wait = this.of(this.upgrades, address, 'LIMIT_UPGRADES').take();
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

const likePosting: readonly CallName[] = [
  'postMessage',
  'editMessage',
  'redactMessage',
  'addReaction',
  'removeReaction',
];
const likeReading: readonly CallName[] = ['markRead'];

/** What a call of somebody who is known spends. */
export function spentBy(name: CallName): Spending {
  if (likePosting.includes(name)) return 'posts';
  if (name === 'searchMessages' || name === 'exportUsers') return 'search';
  return calls[name].method === 'GET' || likeReading.includes(name) ? 'reads' : 'writes';
}

/** Counts a frame. Answers the milliseconds to wait, 0 if none. */
export function spend({ posts, account }: ConnectionAllowances, event: ClientEvent): number {
  const what = spentByFrame[event];
  if (what === null) return 0;
  const now = performance.now();
  return (what === 'posts' ? posts.take(now) : 0) || account[what].take(now);
}
