import { setTimeout as pause } from 'node:timers/promises';
import type { Tools } from '../tools.js';
import { patiently } from './patience.js';

/** Milliseconds for which readers are waited for. */
export const READERS_PATIENCE_MS = 60_000;
/** Milliseconds between two looks. */
const LOOK_MS = 100;

/** Whether everything in the room is shown to readers and found by their searches, within the time given. */
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
    await pause(LOOK_MS);
  }
}
