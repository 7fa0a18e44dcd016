import { arrayParameters, encodeCredentials, PacedSockets } from '@verbatim/event-store';
import postgres, { type Sql } from 'postgres';

/** Seconds for queries on healthy connections to finish after another connection was lost. */
const DRAIN_SECONDS = 1;

/**
 * A pool of connections for everything but the event store, which has its own. When one of them is lost, another pool
 * replaces it, because postgres.js reuses the state of a lost connection (see PacedSockets); callers see a single client
 * throughout. Array types are declared rather than queried, and connecting is paced, because a database outage must not
 * crash the process. `pooled`: the URL goes through a transaction pooler, which may use a different connection for each
 * transaction. Named prepared statements are then disabled, since the next connection would not have them.
 */
export function connect(url: string, { pooled = false } = {}): Sql {
  let current = newClient();
  let ended = false;

  function newClient(): Sql {
    const sockets = new PacedSockets(() => {
      if (current === client) renew();
    });
    // Not inline, because the types of postgres.js lack `socket`.
    const options = {
      max: 12,
      socket: (target: Parameters<PacedSockets['open']>[0]) => sockets.open(target),
      connect_timeout: 5,
      max_lifetime: null,
      fetch_types: false,
      prepare: !pooled,
      types: { array: arrayParameters },
      onnotice: () => undefined,
      connection: { application_name: 'verbatim' },
      onclose: () => {
        sockets.refuse();
        if (current === client) renew();
      },
    };
    const client = postgres(encodeCredentials(url), options) as unknown as Sql;
    return client;
  }

  function renew(): void {
    if (ended) return;
    const spent = current;
    current = newClient();
    spent.end({ timeout: DRAIN_SECONDS }).catch(() => undefined);
  }

  const end: Sql['end'] = (options) => {
    ended = true;
    return current.end(options);
  };
  return new Proxy(current, {
    apply: (_, __, args) => Reflect.apply(current, undefined, args),
    get: (_, name) => (name === 'end' ? end : Reflect.get(current, name)),
  });
}
