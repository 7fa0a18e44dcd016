/** The pool of connections to the database: `Sql`. */
export const SQL = Symbol('database');
/** A pool that goes around a transaction pooler: `Sql`. */
export const DIRECT_SQL = Symbol('database, without a pooler');
/** The key that the keys of the vault are wrapped with: `Buffer`. */
export const MASTER_KEY = Symbol('master key');
/** The keys that texts are sealed with: `KeyRing`. */
export const KEY_RING = Symbol('key ring');
/** The log of the process, which says once that a server is away: `Logger`. */
export const LOG = Symbol('log');
/** Asked for by everything that uses tables of the vault or the desk when it is opened: they are up to date then. */
export const TABLES = Symbol('tables');
