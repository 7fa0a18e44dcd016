import type { Following, LinkState } from '@verbatim/client';
import { useCallback, useEffect, useRef, useState } from 'react';
import { client } from '../../service/client';
import { failureOf } from '../../service/failure';
import { why } from '../reasons';
import { after, before, type Entry, fromHistory } from './conversation';

/** Messages of one page of the history. */
const PAGE = 50;

export interface ConversationOf {
  readonly entries: readonly Entry[];
  readonly loaded: boolean;
  readonly link: LinkState;
  /** Whether there are messages before those shown. */
  readonly hasEarlier: boolean;
  readonly error: Error | null;
  earlier(): Promise<void>;
}

/**
 * The newest messages of a room, and from there on all that happens, over the socket. The revision is asked for before
 * the messages: events in between are in both, and shown once.
 */
export function useConversation(room: string): ConversationOf {
  const [entries, setEntries] = useState<readonly Entry[]>([]);
  const [loaded, setLoaded] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const [hasEarlier, setHasEarlier] = useState(false);
  const cursor = useRef<string | null>(null);

  const load = useCallback(async (): Promise<number> => {
    const { revision } = await client.call('getRoom', { params: { id: room } });
    const { items, page } = await client.call(
      'listMessages',
      { params: { id: room }, query: { limit: PAGE } },
      { ...why(room) },
    );
    cursor.current = page.next;
    setHasEarlier(page.next !== null);
    setEntries(fromHistory(items));
    setLoaded(true);
    return revision;
  }, [room]);

  useEffect(() => {
    let shown = true;
    let following: Following | undefined;
    const fail = (failure: unknown) => shown && setError(failureOf(failure) as Error);
    const begin = async () => {
      const revision = await load();
      if (!shown) return;
      following = client.follow(room, {
        ...why(room),
        after: revision,
        onEvents: (events) => setEntries((known) => after(known, events)),
        onReset: () => load(),
        onRemoved: () => fail(new Error('verbatim.talk.lost')),
        onError: fail,
      });
    };
    begin().catch(fail);
    return () => {
      shown = false;
      following?.close();
    };
  }, [room, load]);

  const earlier = useCallback(async () => {
    if (!cursor.current) return;
    const query = { limit: PAGE, cursor: cursor.current };
    const { items, page } = await client.call('listMessages', { params: { id: room }, query }, { ...why(room) });
    cursor.current = page.next;
    setHasEarlier(page.next !== null);
    setEntries((known) => before(fromHistory(items), known));
  }, [room]);

  return { entries, loaded, link: useLink(), hasEarlier, error, earlier };
}

function useLink(): LinkState {
  const [state, setState] = useState(client.state);
  useEffect(() => client.on('state', setState), []);
  return state;
}
