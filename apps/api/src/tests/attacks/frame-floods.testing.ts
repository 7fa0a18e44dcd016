import type { Attack } from './attack.testing.js';
import { again } from './attack.testing.js';
import { clientFrame, filled, flood, openRawSocket } from './wire.testing.js';

/** Sockets of one account at a time, bytes of a write, and bytes that each sends in a second. */
export const SOCKETS = 8;
export const BLOCK_BYTES = 65_536;
export const BYTES_PER_SECOND = 8 * 1_048_576;
/** Milliseconds until a socket that was ended is opened again: tickets are limited. */
export const REOPENED_MS = 2_000;

/** Frames of one kind, sent by one account on several sockets that never read. */
function frameFlood(name: string, block: Buffer, first: Buffer = Buffer.alloc(0)): Attack {
  return {
    name,
    async prepare(target) {
      const person = await target.attacker();
      return async (signal, deeds) => {
        deeds.sockets = 0;
        deeds.bytes = 0;
        const attackAgain = () =>
          again(signal, REOPENED_MS, async () => {
            const wire = await openRawSocket(target.url, await person.ticket());
            deeds.sockets = (deeds.sockets ?? 0) + 1;
            wire.write(first);
            deeds.bytes = (deeds.bytes ?? 0) + (await flood(wire, block, BYTES_PER_SECOND, signal));
          });
        await Promise.all(Array.from({ length: SOCKETS }, attackAgain));
      };
    },
  };
}

const nothing = Buffer.alloc(0);

export const pingFlood = frameFlood(
  'pings that nobody reads the answers of',
  filled(BLOCK_BYTES, clientFrame('ping', Buffer.alloc(125))),
);
export const smallPingFlood = frameFlood('empty pings', filled(BLOCK_BYTES, clientFrame('ping')));
export const pongFlood = frameFlood('pongs that nobody asked for', filled(BLOCK_BYTES, clientFrame('pong')));
export const emptyFrameFlood = frameFlood('empty frames', filled(BLOCK_BYTES, clientFrame('text')));
export const fragmentFlood = frameFlood(
  'a message of endless empty fragments',
  filled(BLOCK_BYTES, clientFrame('continuation', nothing, false)),
  clientFrame('text', Buffer.from('"'), false),
);
export const fragmentedMessages = frameFlood(
  'messages of many small fragments each',
  filled(
    BLOCK_BYTES,
    Buffer.concat([
      clientFrame('text', Buffer.from('"'), false),
      ...Array.from({ length: 200 }, () => clientFrame('continuation', Buffer.from('x'), false)),
      clientFrame('continuation', Buffer.from('"')),
    ]),
  ),
);
export const closeStorm = frameFlood(
  'sockets that are closed and sent on',
  filled(BLOCK_BYTES, clientFrame('ping')),
  Buffer.concat(Array.from({ length: 1_000 }, () => clientFrame('close'))),
);
