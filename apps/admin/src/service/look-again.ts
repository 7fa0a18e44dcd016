import { type Query, useQueryClient } from '@tanstack/react-query';
import type { StreamCategory } from '@verbatim/client';
import { useEffect } from 'react';
import { client } from './client';

/** Milliseconds between two looks at what the service does not tell of, and should the socket not come to be. */
export const LOOK_AGAIN = 10_000;

/** What streams a query depends on, by the first part of its key. Others are asked again whatever has changed. */
const dependsOn: Readonly<Record<string, readonly StreamCategory[]>> = {
  users: ['user'],
  'events of': ['user'],
  'sessions of': ['user'],
  'tokens of': ['user'],
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
 * Has whatever is shown and looks again by itself looked at at once when the service tells that it may have changed. One
 * look at a time: what changes meanwhile is looked at after it, so that a slow service is not asked ever more.
 */
export function useNews(): void {
  const queries = useQueryClient();
  useEffect(() => {
    const news = new Set<StreamCategory>();
    let looking = false;
    const look = async () => {
      if (looking) return;
      looking = true;
      while (news.size > 0) {
        const changed = new Set(news);
        news.clear();
        await queries.refetchQueries({
          type: 'active',
          predicate: (query) => isLive(query) && concerns(query, changed),
        });
      }
      looking = false;
    };
    const watching = client.watch({
      onChanged: (categories) => {
        for (const category of categories) news.add(category);
        void look();
      },
      // Looking again every few seconds remains.
      onError: () => undefined,
    });
    return () => watching.close();
  }, [queries]);
}

/** A form is not filled anew while somebody writes in it. */
const isLive = (query: Query): boolean => query.observers.some(({ options }) => options.refetchInterval);

function concerns({ queryKey: [what] }: Query, changed: ReadonlySet<StreamCategory>): boolean {
  const categories = dependsOn[`${what}`];
  return categories === undefined || categories.some((category) => changed.has(category));
}
