import { useEffect, useEffectEvent } from 'react';
import { useRefresh } from 'react-admin';
import { client } from '../service/client';
import { why } from './reasons';

/** Milliseconds in which many events lead to one look. */
const PAUSE = 500;

/**
 * Has what is shown of the room looked at again as soon as something happens there. Where the room cannot be followed, the
 * look every few seconds remains. A client follows a room once at a time, so this is for tabs that do not follow it otherwise.
 */
export function useRoomNews(room: string): void {
  const refresh = useRefresh();
  const look = useEffectEvent(() => refresh());
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
      onEvents: happened,
      onReset: async () => happened(),
      onError: () => undefined,
    });
    return () => {
      clearTimeout(waiting);
      following.close();
    };
  }, [room]);
}
