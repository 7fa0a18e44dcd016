import type { Socket } from 'node:net';
import { type Attack, again, pause } from './attack.testing.js';
import { openWire, requestHead } from './wire.testing.js';

/** More than an address may have open. */
const CONNECTIONS = 3_500;
const AT_A_TIME = 50;

/** Connections that ask once and are kept. */
export const idleConnections: Attack = {
  name: 'thousands of idle connections',
  prepare: async (target) => async (signal, deeds) => {
    const open = new Set<Socket>();
    const keep = async () => {
      const wire = await openWire(target.url);
      wire.resume();
      open.add(wire);
      wire.on('close', () => open.delete(wire));
      wire.write(requestHead('/health/live'));
    };
    deeds.opened = 0;
    await again(signal, 100, async () => {
      if (open.size >= CONNECTIONS) return pause(100);
      await Promise.all(Array.from({ length: AT_A_TIME }, keep));
      deeds.opened = (deeds.opened ?? 0) + AT_A_TIME;
      deeds.open = open.size;
    });
    for (const wire of open) wire.destroy();
  },
};
