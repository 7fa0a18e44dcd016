import { type Query, type QueryClient, useQueryClient } from '@tanstack/react-query';
import type { StreamCategory } from '@verbatim/client';
import { useEffect } from 'react';
import { client } from './client';

/**
 * Marks what is looked at again by itself, as `refetchInterval`. It answers false, because the looks are taken in turn by
 * `useNews`: a page with many parts must not ask for all of them at once.
 */
export const LOOK_AGAIN = () => false as const;

/** Milliseconds between two looks of a page, whatever is on it. */
const TURN_MS = 10_000;
/** Milliseconds after which something is looked at again though the service did not tell that it has changed. */
const SELDOM_MS = 60_000;
/** What changes without an event that could be told, by the first part of its key: it is looked at in every turn. */
const untold: readonly string[] = ['overview', 'projections'];

/** What streams a query depends on, by the first part of its key. Others are asked again whatever has changed. */
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
  about: ['announcement', 'maintenance'],
  overview: ['room', 'user'],
};

/**
 * Keeps what is shown up to date: at once when the service tells that it may have changed, and then not for ten seconds, so
 * that a busy service is not asked ever more. Besides, one part of the page at a time is looked at again, in turn.
 */
export function useNews(): void {
  const queries = useQueryClient();
  useEffect(() => {
    const news = new News(queries);
    const watching = client.watch({
      onChanged: (categories) => void news.heard(categories),
      // Looking again in turn remains.
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

  /** Looks again at what has waited longest for its turn, if anything is due. */
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

/** While there is no socket, nothing is told. */
const intervalOf = ({ queryKey: [what] }: Query): number =>
  client.state !== 'online' || untold.includes(`${what}`) ? TURN_MS : SELDOM_MS;

/** What could not be read while the service was away is asked for once it is back. */
const failed = (query: Query): boolean => query.state.status === 'error';

/** A form is not filled anew while somebody writes in it. */
const isLive = (query: Query): boolean => query.observers.some(({ options }) => options.refetchInterval);

function concerns({ queryKey: [what] }: Query, changed: ReadonlySet<StreamCategory>): boolean {
  const categories = dependsOn[`${what}`];
  return categories === undefined || categories.some((category) => changed.has(category));
}
