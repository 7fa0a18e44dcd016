import { allDays, countOpenReports, lastDays, lockedOut } from '@verbatim/projections';
import { encodeVerifierKey } from '@verbatim/transparency';
import type { Time } from '../../clock.js';
import type { Config } from '../../config.js';
import type { Presence } from '../../live/presence/presence.js';
import type { LoadHistory, LoadSample } from '../../storage/desk/load-history.js';
import type { Directory, Person } from '../../storage/directory.js';
import type { ReadModels } from '../../storage/read-models.js';
import type { LogTrees } from '../../storage/transparency/log-trees.js';
import type { Credentials } from '../../storage/vault/credentials.js';

const DAYS = 30;
/** Days for which a locked-out user counts as waiting for help. */
const LOCKED_OUT_DAYS = 7;
/** Counts stop at this number; and how many waiting users are listed. */
const MAX_COUNTED = 1_000;
const MAX_NAMED = 20;

/** A user waiting for an administrator; `since` is RFC 3339. */
export interface WaitingPerson {
  readonly person: Person;
  readonly why: 'locked_out' | 'link_open' | 'link_expired';
  readonly since: string;
}

export interface Waiting {
  readonly count: number;
  readonly people: WaitingPerson[];
}

/** The figures on the administrators' home page. */
export interface OverviewFigures {
  readonly accounts: number;
  readonly openRooms: number;
  readonly messages: number;
  /** The last days, with the additions of each. */
  readonly days: { day: string; accounts: number; rooms: number; messages: number }[];
  /** `answers`: the replica that produced these figures. Null: unknown. */
  readonly replicas: { id: string; answers: boolean; sockets: number | null; people: number | null }[];
  readonly openReports: number;
  readonly waiting: Waiting;
  readonly connected: LoadSample[];
  readonly auditLog: LogStatus | null;
  readonly process: {
    /** Failing readiness checks. */
    readonly missing: string[];
    readonly startedAt: string;
    readonly memoryBytes: number;
    /** Events that the read models, and search, have not processed yet. */
    readonly behind: number;
    readonly searchBehind: number;
  };
}

/** How far the log is signed and cosigned. Times are RFC 3339. */
export interface LogStatus {
  readonly origin: string;
  readonly size: number;
  readonly published: number | null;
  readonly belowQuorumSince: string | null;
  readonly quorum: number;
  readonly witnesses: { name: string; size: number; cosignedAt: string | null }[];
}

/** Knows the failing readiness checks. */
interface Checks {
  missing(): Promise<string[]>;
}

/** Totals, recent activity, and users waiting for an administrator. */
export class Overview {
  private readonly startedAt = new Date().toISOString();

  constructor(
    private readonly readModels: ReadModels,
    private readonly presence: Presence,
    private readonly history: LoadHistory,
    private readonly credentials: Credentials,
    private readonly directory: Directory,
    private readonly readiness: Checks,
    private readonly time: Time,
    private readonly trees: LogTrees,
    private readonly config: Pick<Config, 'AUDIT_WITNESSES' | 'AUDIT_QUORUM'>,
  ) {}

  async now(): Promise<OverviewFigures> {
    const { db, side } = this.readModels;
    const today = this.time.now().toISOString().slice(0, 10);
    const [all, days, openReports, waiting, connected, missing, status, auditLog] = await Promise.all([
      allDays(db),
      lastDays(db, today, DAYS),
      countOpenReports(db, MAX_COUNTED),
      this.waiting(),
      this.history.lastDay(),
      this.readiness.missing(),
      side.status(),
      this.auditLog(),
    ]);
    return {
      accounts: all.people,
      openRooms: all.rooms - all.closed,
      messages: all.messages,
      days: days.map(({ day, people, rooms, messages }) => ({ day, accounts: people, rooms, messages })),
      replicas: Array.from(this.presence.loads, ([id, load], place) => ({
        id,
        answers: place === 0,
        sockets: load?.sockets ?? null,
        people: load?.people ?? null,
      })),
      openReports,
      waiting,
      connected,
      auditLog,
      process: {
        missing,
        startedAt: this.startedAt,
        memoryBytes: process.memoryUsage.rss(),
        behind: status.lag,
        searchBehind: status.search.lag,
      },
    };
  }

  private async auditLog(): Promise<LogStatus | null> {
    const tree = await this.trees.newest();
    if (!tree) return null;
    const { AUDIT_WITNESSES: settings, AUDIT_QUORUM: quorum } = this.config;
    const keys = settings.map(({ key }) => encodeVerifierKey(key));
    const cosigned = await this.trees.cosigned(tree.number, keys);
    const witnesses = settings.map(({ key: { name } }, i) => {
      const { size = 0, time = null } = cosigned.get(keys[i] ?? '') ?? {};
      return { name, size, cosignedAt: time === null ? null : new Date(time * 1_000).toISOString() };
    });
    const { origin, size, published, belowQuorumSince } = tree;
    return { origin, size, published, belowQuorumSince: belowQuorumSince?.toISOString() ?? null, quorum, witnesses };
  }

  /** The latest first; a user who waits for two reasons is listed for the later one. */
  private async waiting(): Promise<Waiting> {
    const now = this.time.now().getTime();
    const since = new Date(now - LOCKED_OUT_DAYS * 86_400_000).toISOString();
    const [locked, links] = await Promise.all([
      lockedOut(this.readModels.db, since, MAX_COUNTED),
      this.credentials.unusedResets(MAX_COUNTED),
    ]);
    const reasons = [
      ...locked.map(({ id, at }) => ({ id, why: 'locked_out' as const, since: at })),
      ...links.map(({ userId, issuedAt, expired }) => ({
        id: userId,
        why: expired ? ('link_expired' as const) : ('link_open' as const),
        since: issuedAt,
      })),
    ].sort((a, b) => (a.since < b.since ? 1 : -1));
    const people = [...new Map(reasons.toReversed().map((reason) => [reason.id, reason])).values()].reverse();
    const named = people.slice(0, MAX_NAMED);
    const names = await this.directory.people(named.map(({ id }) => id));
    return {
      count: Math.min(MAX_COUNTED, people.length),
      people: named.map(({ id, ...rest }) => ({ person: names.get(id) ?? { id, username: '' }, ...rest })),
    };
  }
}
