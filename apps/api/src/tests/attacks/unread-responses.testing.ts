import { type Attack, again } from './attack.testing.js';
import { keep, openWire, requestHead } from './wire.testing.js';

/** Connections at a time, and requests in one packet on each. */
const CONNECTIONS = 200;
const AHEAD = 30;
const REOPENED_MS = 3_000;
/** Milliseconds that a connection is kept if the service does not end it. */
const KEPT_MS = 4_000;

/** Requests sent ahead on many connections, with no response ever read. */
function unread(name: string, path: string, ahead: number): Attack {
  return {
    name,
    prepare: async (target) => async (signal, deeds) => {
      deeds.requests = 0;
      const packet = requestHead(path).repeat(ahead);
      const ask = () =>
        again(signal, REOPENED_MS, async () => {
          const wire = await openWire(target.url);
          wire.write(packet);
          deeds.requests = (deeds.requests ?? 0) + ahead;
          await keep(wire, KEPT_MS, signal);
        });
      await Promise.all(Array.from({ length: CONNECTIONS }, ask));
    },
  };
}

export const unreadDocuments = unread('large documents that nobody reads', '/openapi.json', AHEAD);
export const unreadPages = unread(
  'pages of the dashboard that nobody reads',
  '/docs/assets/swagger-ui-bundle.js',
  AHEAD,
);
export const pipelinedRequests = unread('thousands of requests in one packet', '/v1/about', 2_000);
