import { type Attack, again } from './attack.testing.js';
import { clientFrame, keep, openRawSocket } from './wire.testing.js';

const SOCKETS = 20;
const MESSAGES = 60;
const REOPENED_MS = 4_000;
/** Milliseconds that a connection is kept if the service does not end it. */
const KEPT_MS = 15_000;

/** Sockets that ask for the whole past of a room of long messages, and do not read it. */
export const unreadHistory: Attack = {
  name: 'history on sockets that nobody reads',
  async prepare(target) {
    const person = await target.attacker();
    const room = await person.room();
    await Promise.all(Array.from({ length: MESSAGES }, () => person.says(room, '👋'.repeat(8_000))));
    const follow = Buffer.from(JSON.stringify({ event: 'follow', ref: 1, data: { room, after: -1 } }));
    return async (signal, deeds) => {
      deeds.sockets = 0;
      const ask = () =>
        again(signal, REOPENED_MS, async () => {
          const wire = await openRawSocket(target.url, await person.ticket());
          wire.write(clientFrame('text', follow));
          deeds.sockets = (deeds.sockets ?? 0) + 1;
          await keep(wire, KEPT_MS, signal);
        });
      await Promise.all(Array.from({ length: SOCKETS }, ask));
    };
  },
};
