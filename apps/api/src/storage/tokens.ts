/** The pool of connections to the database: `Sql`. */
export const SQL = Symbol('database');
/** A pool that bypasses a transaction pooler: `Sql`. */
export const DIRECT_SQL = Symbol('database, without a pooler');
/** The configured master key and its predecessor: `RootKeysOptions`. */
export const MASTER_KEYS = Symbol('master keys');
/** The keys that texts are sealed with: `KeyRing`. */
export const KEY_RING = Symbol('key ring');
/** The log of the process, which reports each outage of a server only once: `Logger`. */
export const LOG = Symbol('log');
/** Inject it before using tables of the vault or the desk: it guarantees that they are up to date. */
export const TABLES = Symbol('tables');
/** Whether this process is filling the database, which is not complete yet: `boolean`; absent means no. */
export const FILLING = Symbol('filling');
