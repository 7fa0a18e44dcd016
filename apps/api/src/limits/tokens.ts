/** The limits in force, or ones that allow everything if RATE_LIMITS is off: `LimitSettings`. */
export const LIMITS_IN_FORCE = Symbol('effective limits');
/** Settles allowances with the other replicas: `Ledger`. */
export const LEDGER = Symbol('ledger');
/** The number of other replicas: `() => number`. Zero if not provided. */
export const REPLICA_COUNT = Symbol('replica count');
