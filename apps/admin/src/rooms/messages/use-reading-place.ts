import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Entry } from './conversation';
import { keepPlace } from './kept-place';

/** Distance from the end, in pixels, that counts as reading the newest. */
const NEAR = 40;
/** How long scrolling may continue after an event, in milliseconds. */
const SETTLED_MS = 300;

/**
 * Keeps the reading position. At the end, the view goes with what comes; anywhere else it stays, counts
 * what has come, and older entries grow away upwards. With `start`, the revision of an entry, the view begins there and
 * goes with nothing. The place outlives a reload.
 */
export function useReadingPlace(room: string, entries: readonly Entry[], start?: number) {
  const ref = useRef<HTMLDivElement | null>(null);
  // The view may come later than the component, once there is something to be read.
  const [shown, setShown] = useState<HTMLDivElement | null>(null);
  const show = useCallback((view: HTMLDivElement | null) => {
    ref.current = view;
    setShown(view);
  }, []);
  const live = start === undefined;
  const following = useRef(live);
  const growing = useRef<{ top: number; height: number; first: number | undefined } | null>(null);
  const newest = useRef(-1);
  const [atEnd, setAtEnd] = useState(true);
  const [unseen, setUnseen] = useState(0);

  const first = entries[0]?.revision;
  const toEnd = useCallback(() => {
    const view = ref.current;
    if (view) view.scrollTop = view.scrollHeight;
  }, []);

  useEffect(() => {
    const view = shown;
    if (!view) return;
    let settling: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      const near = view.scrollHeight - view.scrollTop - view.clientHeight < NEAR;
      following.current = near && live;
      setAtEnd(near);
      if (near) setUnseen(0);
      clearTimeout(settling);
      settling = setTimeout(() => keepPlace(room, near && live ? null : firstInSight(view)), SETTLED_MS);
    };
    view.addEventListener('scroll', look, { passive: true });
    return () => {
      clearTimeout(settling);
      view.removeEventListener('scroll', look);
    };
  }, [room, live, shown]);

  useLayoutEffect(() => {
    const view = ref.current;
    const entry = view?.querySelector(`[data-revision="${start}"]`);
    if (view && entry) view.scrollTop += entry.getBoundingClientRect().top - view.getBoundingClientRect().top - NEAR;
  }, [start]);

  useLayoutEffect(() => {
    const view = ref.current;
    if (!view) return;
    const seen = newest.current;
    newest.current = entries.at(-1)?.revision ?? seen;
    const place = growing.current;
    if (place && place.first !== first) {
      view.scrollTop = place.top + view.scrollHeight - place.height;
      growing.current = null;
    } else if (following.current) toEnd();
    else
      setUnseen((count) => count + entries.filter(({ kind, revision }) => kind === 'said' && revision > seen).length);
  }, [entries, first, toEnd]);

  /** To be called before older entries are asked for. */
  const beforeEarlier = useCallback(() => {
    const view = ref.current;
    if (view) growing.current = { top: view.scrollTop, height: view.scrollHeight, first };
    following.current = false;
  }, [first]);

  return { ref: show, unseen, atEnd, toEnd, beforeEarlier };
}

/** The revision of the first message that is in sight as a whole. */
function firstInSight(view: HTMLElement): number | null {
  const { top } = view.getBoundingClientRect();
  for (const entry of view.querySelectorAll('[data-revision]'))
    if (entry.getBoundingClientRect().top >= top) return Number(entry.getAttribute('data-revision'));
  return null;
}
