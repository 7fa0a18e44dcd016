import { type Query, type QueryClient, useQueryClient } from '@tanstack/react-query';
import type { StreamCategory } from '@verbatim/client';
import { useEffect } from 'react';
import { client } from './client';

/**
 * As `refetchInterval`, marks queries that are reloaded automatically. It returns false, because `useNews` reloads them in turn: a
 * page with many parts must not reload all of them at once.
 */
export const LOOK_AGAIN = () => false as const;

/** Milliseconds between two reloads on a page. */
const TURN_MS = 10_000;
/** Milliseconds after which data is reloaded even without a notification. */
const SELDOM_MS = 60_000;
/** Queries whose data changes without events, by the first part of their key. They are reloaded in every turn. */
const withoutEvents: readonly string[] = ['overview', 'projections', 'exports', 'retention'];

/** The streams a query depends on, by the first part of its key. Other queries are reloaded on every change. */
const dependsOn: Readonly<Record<string, readonly StreamCategory[]>> = {
  users: ['user'],
  'events of': ['user'],
  'sessions of': ['user'],
  'tokens of': ['user'],
  'my sessions': ['user'],
  'my tokens': ['user'],
  sessions: ['user'],
  tokens: ['user'],
  rooms: ['room'],
  members: ['room'],
  bans: ['room'],
  events: ['room'],
  reports: ['room'],
  invitations: ['invitation'],
  erasures: ['erasure'],
  holds: ['erasure'],
  retention: ['erasure'],
  about: ['announcement', 'maintenance'],
  overview: ['room', 'user'],
};

/**
 * Keeps the page up to date: reloads immediately when the service says that something changed, but at most every ten seconds, to
 * limit the load on a busy service. In addition, the parts of the page are reloaded in turn, one at a time.
 */
export function useNews(): void {
  const queries = useQueryClient();
  useEffect(() => {
    const news = new News(queries);
    const watching = client.watch({
      onChanged: (categories) => void news.heard(categories),
      // Reloading in turn continues.
      onError: () => undefined,
    });
    const turns = setInterval(() => news.turn(), TURN_MS);
    return () => {
      news.end();
      clearInterval(turns);
      watching.close();
    };
  }, [queries]);
}

class News {
  private readonly changed = new Set<StreamCategory>();
  private looking = false;
  private over = false;

  constructor(private readonly queries: QueryClient) {}

  end(): void {
    this.over = true;
  }

  async heard(categories: readonly StreamCategory[]): Promise<void> {
    for (const category of categories) this.changed.add(category);
    if (this.looking) return;
    this.looking = true;
    while (this.changed.size > 0 && !this.over) {
      const changed = new Set(this.changed);
      this.changed.clear();
      const pause = new Promise((resolve) => setTimeout(resolve, TURN_MS));
      await this.queries.refetchQueries({
        type: 'active',
        predicate: (query) => failed(query) || (isLive(query) && concerns(query, changed)),
      });
      await pause;
    }
    this.looking = false;
  }

  /** Reloads the query that is most overdue, if any. */
  turn(): void {
    if (document.hidden) return;
    const due = this.queries
      .getQueryCache()
      .findAll({ type: 'active', fetchStatus: 'idle', predicate: isLive })
      .map((query) => ({ query, waited: (Date.now() - query.state.dataUpdatedAt) / intervalOf(query) }))
      .filter(({ waited }) => waited >= 0.95)
      .sort((a, b) => b.waited - a.waited)[0];
    if (due) void this.queries.refetchQueries({ queryKey: due.query.queryKey, exact: true });
  }
}

/** Without a socket there are no notifications. */
const intervalOf = ({ queryKey: [what] }: Query): number =>
  client.state !== 'online' || withoutEvents.includes(`${what}`) ? TURN_MS : SELDOM_MS;

/** Queries that failed during an outage are repeated once the service is back. */
const failed = (query: Query): boolean => query.state.status === 'error';

/** Forms are not reloaded while someone is typing in them. */
const isLive = (query: Query): boolean => query.observers.some(({ options }) => options.refetchInterval);

function concerns({ queryKey: [what] }: Query, changed: ReadonlySet<StreamCategory>): boolean {
  const categories = dependsOn[`${what}`];
  return categories === undefined || categories.some((category) => changed.has(category));
}
