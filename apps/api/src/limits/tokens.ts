/** The limits that apply, or those that admit everything if RATE_LIMITS is off: `LimitSettings`. */
export const LIMITS_IN_FORCE = Symbol('effective limits');
/** Settles allowances with the other replicas: `Ledger`. */
export const LEDGER = Symbol('ledger');
/** How many other replicas there are: `() => number`. Without it there are none. */
export const REPLICA_COUNT = Symbol('replica count');
