import { setTimeout as pause } from 'node:timers/promises';
import type { Tools } from '../tools.js';
import { patiently } from './patience.js';

/** How long to wait for readers to see everything. */
export const READERS_PATIENCE_MS = 60_000;
/** Interval between two checks. */
const CHECK_INTERVAL_MS = 100;

/** Whether readers see everything in the room, and searches find it, within the given time. */
export async function readersSee(
  { rooms, readModels }: Tools,
  roomId: string,
  patienceMs: number = READERS_PATIENCE_MS,
): Promise<boolean> {
  const end = performance.now() + patienceMs;
  const { position } = await patiently(() => rooms.newest(roomId));
  if (!(await readModels.reached(position, patienceMs))) return false;
  for (;;) {
    const { search } = await readModels.side.status();
    if (search.position >= position) return true;
    if (performance.now() >= end) return false;
    await pause(CHECK_INTERVAL_MS);
  }
}
