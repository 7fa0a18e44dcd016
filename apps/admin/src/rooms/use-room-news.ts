import type { LiveEvent } from '@verbatim/protocol';
import { useEffect, useEffectEvent } from 'react';
import { useRefresh } from 'react-admin';
import { client } from '../service/client';
import { why } from './reasons';

/** Milliseconds in which many events lead to one look. */
const PAUSE = 1_000;

/**
 * Has what is shown of the room looked at again soon after something happens there that `concerns` it. Where the room
 * cannot be followed, the look every few seconds remains. A client follows a room once at a time, so this is for tabs that
 * do not follow it otherwise.
 */
export function useRoomNews(room: string, concerns: (event: LiveEvent) => boolean = () => true): void {
  const refresh = useRefresh();
  const look = useEffectEvent(() => refresh());
  const isOfConcern = useEffectEvent((event: LiveEvent) => concerns(event));
  useEffect(() => {
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const happened = () => {
      waiting ??= setTimeout(() => {
        waiting = undefined;
        look();
      }, PAUSE);
    };
    const following = client.follow(room, {
      ...why(room),
      onEvents: (events) => events.some((event) => isOfConcern(event)) && happened(),
      onReset: async () => happened(),
      onError: () => undefined,
    });
    return () => {
      clearTimeout(waiting);
      following.close();
    };
  }, [room]);
}
