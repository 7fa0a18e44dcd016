import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import type { StoredEvent } from '@verbatim/protocol';
import { useCallback, useEffect, useRef, useState } from 'react';
import { client } from '../../service/client';
import { shown } from '../../service/failure';
import { why } from '../reasons';
import { MOST_SHOWN, type Scene, sceneAfter } from './scene';

/** How often a playing room moves on, and how long it stands still at most while nothing happened in it; milliseconds. */
const TICK_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
/** Events asked for at a time. The next ones are asked for when so many are left. */
const PAGE = 200;
const FEW = 100;
/** Steps in one tick; at high speeds the rest waits for the next one. */
const MOST_STEPS = 400;

export const speeds = [1, 10, 100, 1_000] as const;
export type Speed = (typeof speeds)[number];

/** The current scene: the room at a revision, and the event that led there, unless reached by a jump. */
interface Shown {
  readonly scene: Scene;
  readonly event: StoredEvent | null;
}

/** Plays the past of a room. */
export function usePlayer(roomId: string, last: number) {
  const queries = useQueryClient();
  const [now, setNow] = useState<Shown | null>(null);
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState<Speed>(10);
  const [error, setError] = useState<unknown>(null);
  const latest = useRef<Shown | null>(null);
  const ahead = useRef(new Ahead(queries, roomId));

  const show = useCallback((shownNow: Shown) => {
    latest.current = shownNow;
    setNow(shownNow);
  }, []);

  /** To a revision, or a time. */
  const jump = useCallback(
    async (at: number | string) => {
      setPlaying(false);
      try {
        show({ scene: await sceneAt(queries, roomId, at), event: null });
        setError(null);
      } catch (failure) {
        setError(failure);
      }
    },
    [queries, roomId, show],
  );

  const step = useCallback(async () => {
    const { current } = latest;
    if (!current || current.scene.revision >= last) return;
    try {
      const event = await ahead.current.next(current.scene.revision + 1);
      if (event && latest.current === current) show({ scene: sceneAfter(current.scene, event), event });
    } catch (failure) {
      setPlaying(false);
      setError(failure);
    }
  }, [last, show]);

  useEffect(() => void jump(0), [jump]);

  useEffect(() => {
    if (!playing) return;
    /** The time in the room that has come, and how long it has stood still. */
    let time = Date.parse(latest.current?.scene.at ?? '');
    let still = 0;
    let busy = false;
    const tick = async () => {
      if (busy || !latest.current) return;
      busy = true;
      time += TICK_MS * speed;
      let { scene, event } = latest.current;
      const begin = scene.revision;
      for (let steps = 0; steps < MOST_STEPS && scene.revision < last; steps++) {
        const next = await ahead.current.next(scene.revision + 1);
        if (!next) break;
        const due = Date.parse(next.at);
        if (due > time && still < LONGEST_PAUSE_MS) break;
        time = Math.max(time, due);
        still = 0;
        scene = sceneAfter(scene, next);
        event = next;
      }
      still = scene.revision === begin ? still + TICK_MS : 0;
      if (scene.revision !== begin) show({ scene, event });
      if (scene.revision >= last) setPlaying(false);
      busy = false;
    };
    const timer = setInterval(
      () =>
        void tick().catch((failure) => {
          setPlaying(false);
          setError(failure);
        }),
      TICK_MS,
    );
    return () => clearInterval(timer);
  }, [playing, speed, last, show]);

  return { now, playing, speed, error, jump, step, setSpeed, play: setPlaying };
}

async function sceneAt(queries: QueryClient, roomId: string, at: number | string): Promise<Scene> {
  return queries.fetchQuery({
    queryKey: ['scene', roomId, at],
    queryFn: () =>
      shown(
        client.call(
          'getRoomState',
          { params: { id: roomId }, query: { at, part: 'last', limit: MOST_SHOWN } },
          { ...why(roomId) },
        ),
      ),
  });
}

/** The next events, read ahead. */
class Ahead {
  private events: readonly StoredEvent[] = [];
  private reading: Promise<void> | null = null;

  constructor(
    private readonly queries: QueryClient,
    private readonly roomId: string,
  ) {}

  /** The event at a revision, or null where there is none. */
  async next(revision: number): Promise<StoredEvent | null> {
    if (!this.at(revision)) {
      await this.reading;
      if (!this.at(revision)) await this.read(revision, []);
    }
    const first = this.events[0]?.revision ?? revision;
    const left = first + this.events.length - revision;
    if (left < FEW && !this.reading && this.events.length >= PAGE)
      void this.read(first + this.events.length, this.events.slice(revision - first)).catch(() => undefined);
    return this.at(revision) ?? null;
  }

  private at(revision: number): StoredEvent | undefined {
    return this.events[revision - (this.events[0]?.revision ?? 0)];
  }

  private async read(from: number, before: readonly StoredEvent[]): Promise<void> {
    this.reading = this.queries
      .fetchQuery({
        queryKey: ['events ahead', this.roomId, from],
        queryFn: () =>
          shown(
            client.call(
              'listEvents',
              { params: { id: this.roomId }, query: { from, limit: PAGE } },
              { ...why(this.roomId) },
            ),
          ),
      })
      .then(({ items }) => {
        this.events = [...before, ...items];
      })
      .finally(() => {
        this.reading = null;
      });
    await this.reading;
  }
}
