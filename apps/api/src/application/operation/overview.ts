import { allDays, countOpenReports, lastDays, lockedOut } from '@verbatim/projections';
import type { Overview as Shown } from '@verbatim/protocol';
import type { Time } from '../../clock.js';
import type { Readiness } from '../../composition/readiness.js';
import type { Presence } from '../../live/presence/presence.js';
import type { LoadHistory } from '../../storage/desk/load-history.js';
import type { Directory } from '../../storage/directory.js';
import type { ReadModels } from '../../storage/read-models.js';
import type { Credentials } from '../../storage/vault/credentials.js';

const DAYS = 30;
/** Days after a lockout in which somebody counts as waiting for help. */
const LOCKED_OUT_DAYS = 7;
/** What is counted at most, and how many of those who wait are named. */
const MOST_COUNTED = 1_000;
const MOST_NAMED = 20;

type Waiting = Shown['waiting'];

/** How much there is in the service, how much happens, and who needs something from an administrator. */
export class Overview {
  private readonly startedAt = new Date().toISOString();

  constructor(
    private readonly readModels: ReadModels,
    private readonly presence: Presence,
    private readonly history: LoadHistory,
    private readonly credentials: Credentials,
    private readonly directory: Directory,
    private readonly readiness: Readiness,
    private readonly time: Time,
  ) {}

  async now(): Promise<Shown> {
    const { db, side } = this.readModels;
    const today = this.time.now().toISOString().slice(0, 10);
    const [all, days, openReports, waiting, connected, missing, status] = await Promise.all([
      allDays(db),
      lastDays(db, today, DAYS),
      countOpenReports(db, MOST_COUNTED),
      this.waiting(),
      this.history.lastDay(),
      this.readiness.missing(),
      side.status(),
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
      process: {
        missing,
        startedAt: this.startedAt,
        memoryBytes: process.memoryUsage.rss(),
        behind: status.lag,
        searchBehind: status.search.lag,
      },
    };
  }

  /** Those who have waited least come first; whoever waits for two reasons is named for the latest. */
  private async waiting(): Promise<Waiting> {
    const now = this.time.now().getTime();
    const since = new Date(now - LOCKED_OUT_DAYS * 86_400_000).toISOString();
    const [locked, links] = await Promise.all([
      lockedOut(this.readModels.db, since, MOST_COUNTED),
      this.credentials.unusedResets(MOST_COUNTED),
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
    const named = people.slice(0, MOST_NAMED);
    const names = await this.directory.people(named.map(({ id }) => id));
    return {
      count: Math.min(MOST_COUNTED, people.length),
      people: named.map(({ id, ...rest }) => ({ person: names.get(id) ?? { id, username: '' }, ...rest })),
    };
  }
}
