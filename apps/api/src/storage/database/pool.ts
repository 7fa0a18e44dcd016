import { arrayParameters, encodeCredentials, PacedSockets } from '@verbatim/event-store';
import postgres, { type Sql } from 'postgres';

/** Seconds that queries on healthy connections have left to finish after another connection was lost. */
const PARTING = 1;

/**
 * A pool of connections for everything but the event store, which has its own. When one of them is lost, another pool
 * replaces it, because postgres.js reuses the state of a lost connection (see PacedSockets); callers see a single
 * client throughout. Array types are declared rather than queried, and connecting is paced, because a database
 * that goes away must not crash the process.
 * `pooled`: the URL leads through a transaction pooler, which gives each transaction another connection. Statements are then
 * not prepared under a name, since the next connection would not know it.
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
    spent.end({ timeout: PARTING }).catch(() => undefined);
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
