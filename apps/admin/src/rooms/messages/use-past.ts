import { useCallback, useEffect, useRef, useState } from 'react';
import { client } from '../../service/client';
import { failureOf } from '../../service/failure';
import { why } from '../reasons';
import { before, type Entry, fromHistory, fromHistoryUpwards, revised } from './conversation';

/** Messages of one page of the history. */
const PAGE = 50;

/** A place in the history: a message, or a time. */
export type Place = { readonly revision: number; readonly found?: Found } | { readonly at: string };

/** Marks the message as a search result, with the words that were searched for. */
export interface Found {
  readonly words: string;
}

export interface PastOf {
  readonly entries: readonly Entry[];
  readonly loaded: boolean;
  /** Revision of the first message at the place or after it; the last one before it, if there is none. */
  readonly start: number | undefined;
  readonly hasEarlier: boolean;
  readonly hasLater: boolean;
  readonly error: Error | null;
  earlier(): Promise<void>;
  later(): Promise<void>;
}

/** A part of a room's history, extended in both directions on demand. Edits and redactions are shown live. */
export function usePast(room: string, place: Place): PastOf {
  const [entries, setEntries] = useState<readonly Entry[]>([]);
  const [start, setStart] = useState<number>();
  const [loaded, setLoaded] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const [down, setDown] = useState<string | null>(null);
  const [up, setUp] = useState<string | null>(null);
  // Another place is another past, in a component of another key.
  const { current: wanted } = useRef(place);

  useEffect(() => {
    let shown = true;
    const fail = (failure: unknown) => shown && setError(failureOf(failure) as Error);
    const begin = async () => {
      const [older, newer] = await Promise.all([
        page(room, 'newest', 'at' in wanted ? wanted : { from: wanted.revision - 1 }),
        page(room, 'oldest', 'at' in wanted ? wanted : { from: wanted.revision }),
      ]);
      if (!shown) return;
      setEntries([...fromHistory(older.items), ...fromHistoryUpwards(newer.items)]);
      setStart((newer.items[0] ?? older.items[0])?.revision);
      setDown(older.page.next);
      setUp(newer.page.next);
      setLoaded(true);
    };
    begin().catch(fail);
    const following = client.follow(room, {
      ...why(room),
      onEvents: (events) => setEntries((known) => revised(known, events)),
      onReset: () => undefined,
      onError: fail,
    });
    return () => {
      shown = false;
      following.close();
    };
  }, [room, wanted]);

  const earlier = useCallback(async () => {
    if (!down) return;
    const { items, page: paging } = await page(room, 'newest', { cursor: down });
    setDown(paging.next);
    setEntries((known) => before(fromHistory(items), known));
  }, [room, down]);

  const later = useCallback(async () => {
    if (!up) return;
    const { items, page: paging } = await page(room, 'oldest', { cursor: up });
    setUp(paging.next);
    setEntries((known) => [...known, ...fromHistoryUpwards(items)]);
  }, [room, up]);

  return { entries, loaded, start, hasEarlier: down !== null, hasLater: up !== null, error, earlier, later };
}

type From = { readonly from: number } | { readonly at: string } | { readonly cursor: string };

async function page(room: string, order: 'newest' | 'oldest', from: From) {
  // Nothing is before the first revision.
  if ('from' in from && from.from < 0) return { items: [], page: { next: null } };
  return client.call(
    'listMessages',
    { params: { id: room }, query: { order, limit: PAGE, ...from } },
    { ...why(room) },
  );
}
