import type { ReadRefusal, StandIn } from '../../../../../libs/event-store/src/kurrentdb/stand-in.testing.js';

interface Fault {
  begin(standIn: StandIn): void | Promise<void>;
  end(standIn: StandIn): void | Promise<void>;
}

const refusing = (how: ReadRefusal): Fault => ({
  begin: (standIn) => standIn.refuseReads(how),
  end: (standIn) => standIn.refuseReads(null),
});

/** The ways in which a real server was away, as the stand-in imitates them. */
export const storeOutages = {
  'not ready': refusing('not ready'),
  'too late': refusing('too late'),
  silent: refusing('silent'),
  'access denied': refusing('access denied'),
  'not signed in': refusing('not signed in'),
  'without a leader': { begin: (standIn) => standIn.loseLeader(), end: (standIn) => standIn.loseLeader(false) },
  down: { begin: (standIn) => standIn.stop(), end: (standIn) => standIn.listen() },
} satisfies Record<string, Fault>;

export type StoreOutage = keyof typeof storeOutages;
