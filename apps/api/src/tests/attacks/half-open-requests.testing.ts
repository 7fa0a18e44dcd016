import { type Attack, again } from './attack.testing.js';
import { keep, openWire } from './wire.testing.js';

const CONNECTIONS = 400;
const REOPENED_MS = 1_000;
/** Milliseconds that a connection is kept if the service does not end it. */
const KEPT_MS = 20_000;
/** Bytes of a body that come at once; the last one never does. */
const BODY_BYTES = 131_072;

/** Connections that start something and never finish it. */
function halfOpen(name: string, beginning: string, last: 'stay' | 'end' = 'stay'): Attack {
  return {
    name,
    prepare: async (target) => async (signal, deeds) => {
      deeds.connections = 0;
      const open = () =>
        again(signal, REOPENED_MS, async () => {
          const wire = await openWire(target.url);
          deeds.connections = (deeds.connections ?? 0) + 1;
          // What little is answered is read, so that the end is noticed.
          wire.resume();
          wire.write(beginning);
          if (last === 'end') wire.end();
          await keep(wire, KEPT_MS, signal);
        });
      await Promise.all(Array.from({ length: CONNECTIONS }, open));
    },
  };
}

const body = `POST /v1/auth/login HTTP/1.1\r\nhost: chat\r\ncontent-type: application/json\r\ncontent-length: ${BODY_BYTES}\r\n\r\n`;

export const halfHeads = halfOpen('heads of requests that do not end', 'GET /v1/about HTTP/1.1\r\nhost: chat\r\nx: ');
export const halfBodies = halfOpen('bodies of requests that lack a byte', body + ' '.repeat(BODY_BYTES - 1));
export const halfClosed = halfOpen(
  'connections that are closed on one side only',
  'GET /openapi.json HTTP/1.1\r\nhost: chat\r\n\r\n'.repeat(20),
  'end',
);
