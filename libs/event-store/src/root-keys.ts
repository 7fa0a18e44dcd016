import { randomBytes } from 'node:crypto';
import type { Sql, TransactionSql } from 'postgres';
import { openText, sealText } from './envelope.js';
import { LocalMasterKey, type MasterKey, MasterKeyUnavailable, WrongMasterKey } from './master-key.js';
import { type MigrationStep, migrate } from './migrate.js';

/** The parts of a key's name, as they are indexed; what is no day ends in something else than ten digits and hyphens. */
export const STREAM = `(split_part(name, '|', 1) collate "C")`;
export const PERSON = `(split_part(name, '|', 2) collate "C")`;
export const DAY = `(right(name, 10) collate "C")`;

/** A text sealed with a root key. */
export interface Wrapped {
  /** Number of the root key. */
  readonly root: number;
  readonly wrapped: string;
}

/** Tables of the vault whose rows root keys wrap. */
export interface WrappedTable {
  readonly table: 'keys' | 'event_keys' | 'signing_keys';
  readonly key: 'name' | 'event_id' | 'id';
  /** What a row's text is bound to. */
  readonly label: (key: string) => string;
}

/** Stands before the name of a key that is being taken apart; the key itself is still bound to its name. */
export const RETIRED = 'retired|';

export const wrappedTables: readonly WrappedTable[] = [
  {
    table: 'keys',
    key: 'name',
    label: (name) => (name.startsWith(RETIRED) ? name.slice(RETIRED.length) : name),
  },
  { table: 'event_keys', key: 'event_id', label: (id) => id },
  { table: 'signing_keys', key: 'id', label: (id) => id },
];

export interface RootKeysOptions {
  readonly master: MasterKey;
  /** What the master key was before: opens what `master` does not, and wraps nothing. */
  readonly before?: MasterKey | null;
  /** Milliseconds for which root keys are used without the master key having been reached. Default: for ever. */
  readonly holdMs?: number;
  readonly now?: () => number;
}

/** Milliseconds between two checks whether the master key still opens the root keys, at most. */
const CHECK_EVERY_MS = 60_000;
/** Milliseconds between two attempts while it does not. */
const RETRY_EVERY_MS = 5_000;
/** Root keys are read anew at most this often when a row names one that is not known. */
const MOST_TRIES = 3;

/** How the master key has answered lately. */
export interface MasterKeyState {
  readonly description: string;
  readonly version: string | null;
  /** Seconds since it last opened the root keys. */
  readonly unconfirmedSeconds: number;
  /** Why it did not at the last attempt; null: it did. */
  readonly trouble: string | null;
  /** Whether the root keys are forgotten, since the trouble lasts too long. */
  readonly locked: boolean;
  readonly failures: number;
  /** Number of the root key that wraps new keys. */
  readonly root: number;
}

/**
 * The keys that wrap all others in the vault. They are in the database, wrapped by the master key, and in the memory of each process;
 * so no request waits for a key server. A rotation makes a new one and wraps everything anew with it. The tables refer to the root
 * key that wraps each row, so that the database itself refuses to forget one that is still needed.
 */
export class RootKeys {
  private readonly known = new Map<number, Buffer>();
  private current = 0;
  private confirmedAt: number;
  private trouble: MasterKeyUnavailable | null = null;
  private failures = 0;
  private version: string | null = null;
  private timer: NodeJS.Timeout | undefined;
  private readonly locks: (() => void)[] = [];

  private constructor(
    private readonly sql: Sql,
    private readonly options: RootKeysOptions,
  ) {
    this.confirmedAt = this.now();
  }

  /**
   * Makes the first root key where there is none.
   * @throws WrongMasterKey, MasterKeyUnavailable
   */
  static async open(sql: Sql, options: RootKeysOptions | Buffer): Promise<RootKeys> {
    const roots = new RootKeys(sql, 'master' in options ? options : { master: new LocalMasterKey(options) });
    await migrate(sql, 'vault', 'keys', [...tables, firstWrapping(roots.masters)]);
    await roots.load();
    return roots;
  }

  /** Looks from time to time whether the master key still opens the root keys; `changed` is called when that begins or ceases. */
  watch(changed: (state: MasterKeyState) => void = () => {}): void {
    const { holdMs = Number.POSITIVE_INFINITY } = this.options;
    if (holdMs === Number.POSITIVE_INFINITY) return;
    const look = async () => {
      const before = this.trouble;
      await this.confirm();
      if ((before === null) !== (this.trouble === null)) changed(this.state);
      const wait = this.trouble ? RETRY_EVERY_MS : CHECK_EVERY_MS;
      this.timer = setTimeout(() => void look(), Math.min(wait, holdMs / 4)).unref();
    };
    this.timer = setTimeout(() => void look(), Math.min(CHECK_EVERY_MS, holdMs / 4)).unref();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /** Called when the root keys are forgotten: what they have opened is to be forgotten as well. */
  onLock(forget: () => void): void {
    this.locks.push(forget);
  }

  get state(): MasterKeyState {
    return {
      description: this.options.master.description,
      version: this.version,
      unconfirmedSeconds: this.trouble ? Math.round((this.now() - this.confirmedAt) / 1_000) : 0,
      trouble: this.trouble?.message ?? null,
      locked: this.isLocked,
      failures: this.failures,
      root: this.current,
    };
  }

  /** @throws MasterKeyUnavailable if it was out of reach for too long. */
  assertUsable(): void {
    if (!this.isLocked) return;
    this.lock();
    throw this.trouble;
  }

  /** Asks the master key whether it still opens the root keys. */
  async confirm(): Promise<void> {
    try {
      await this.load();
    } catch (error) {
      const refused = error instanceof WrongMasterKey;
      // Anything else is the database's trouble.
      if (!refused && !(error instanceof MasterKeyUnavailable)) return;
      this.failures++;
      this.trouble = refused ? this.refusedBy(error) : error;
      if (this.isLocked) this.lock();
    }
  }

  /** Seals texts with the newest root key, each bound to its label. */
  seal(texts: readonly { readonly text: string; readonly label: string }[]): Wrapped[] {
    this.assertUsable();
    const { current: root } = this;
    const key = this.known.get(root);
    if (!key) throw new Error(`The root key ${root} is not there.`);
    return texts.map(({ text, label }) => ({ root, wrapped: sealText(text, key, label) }));
  }

  /**
   * Stores rows that refer to a root key; `store` gets sealed texts. They are sealed anew if the root key was retired meanwhile.
   */
  async sealed<T>(
    texts: readonly { readonly text: string; readonly label: string }[],
    store: (wrapped: readonly Wrapped[]) => Promise<T>,
  ): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await store(this.seal(texts));
      } catch (error) {
        if ((error as { code?: string }).code !== FOREIGN_KEY_VIOLATION || tries === MOST_TRIES) throw error;
        await this.load();
      }
    }
  }

  /** Makes sure that these root keys are known, so that `unwrap` opens what they have sealed. */
  async obtain(numbers: Iterable<number>): Promise<void> {
    this.assertUsable();
    for (const number of numbers) if (!this.known.has(number)) return this.load();
  }

  /** Null when the label is not the one it was sealed with, or its root key is not there: see `obtain`. */
  unwrap({ root, wrapped }: Wrapped, label: string): string | null {
    const key = this.known.get(root);
    return key ? openText(wrapped, key, label) : null;
  }

  private refusedBy(cause: WrongMasterKey): MasterKeyUnavailable {
    const advice = 'start the service with the master key of the vault';
    return new MasterKeyUnavailable('The master key', 'it does not open the root keys', advice, { cause });
  }

  private lock(): void {
    if (this.known.size === 0) return;
    this.known.clear();
    for (const forget of this.locks) forget();
  }

  private get isLocked(): boolean {
    const { holdMs = Number.POSITIVE_INFINITY } = this.options;
    return this.trouble !== null && this.now() - this.confirmedAt > holdMs;
  }

  private get masters(): MasterKey[] {
    const { master, before } = this.options;
    return before ? [master, before] : [master];
  }

  private now(): number {
    return (this.options.now ?? (() => performance.now()))();
  }

  private async load(): Promise<void> {
    const rows = await this.sql<WrappingRow[]>`
      select r.number, w.master, w.wrapped from vault.root_keys r left join vault.root_wrappings w on w.root = r.number
      order by r.number`;
    const opened = await openRoots(rows, this.masters);
    // Those that a rotation has done away with stay: a row that was read before it may come to be opened only now.
    for (const [number, key] of opened.keys) this.known.set(number, key);
    this.current = Math.max(...opened.keys.keys());
    this.version = opened.version;
    this.confirmedAt = this.now();
    this.trouble = null;
  }

  // Rotation ---------------------------------------------------------------------------------------------------------

  /**
   * Begins a rotation, or goes on with one: makes a new root key, wrapped by the master key and, for processes that still run with
   * it, by the one before. Returns its number.
   */
  async begin(): Promise<number> {
    await this.load();
    const { master, before } = this.options;
    const unfinished = await this.sql<{ number: number }[]>`
      select number from vault.root_keys r
      where number = (select max(number) from vault.root_keys) and number > (select min(number) from vault.root_keys)
        and exists (select from vault.root_wrappings w where w.root = r.number and w.master = ${master.name})`;
    if (unfinished[0]) return unfinished[0].number;
    const number = this.current + 1;
    const key = randomBytes(32);
    const masters = [...new Map([master, ...(before ? [before] : [])].map((one) => [one.name, one])).values()];
    const wrapped = await Promise.all(masters.map((one) => one.wrap(key, labelOf(number))));
    // If somebody else begins at the same time, it is one rotation.
    await this.sql`
      with made as (insert into vault.root_keys (number) values (${number}) on conflict do nothing returning number)
      insert into vault.root_wrappings (root, master, wrapped)
      select made.number, w.master, w.wrapped
      from made, unnest(${masters.map(({ name }) => name)}::text[], ${wrapped}::text[]) as w (master, wrapped)`;
    await this.load();
    return this.current;
  }

  /** Rows that another root key than the newest has wrapped. */
  async left(): Promise<number> {
    const counts = wrappedTables.map(async ({ table }) => {
      const [row] = await this.sql<{ left: number }[]>`
        select count(*)::float8 as left from vault.${this.sql(table)} where root <> ${this.current}::integer`;
      return row?.left ?? 0;
    });
    return (await Promise.all(counts)).reduce((sum, left) => sum + left, 0);
  }

  /**
   * Wraps rows anew that another root key than the newest has wrapped, table by table, and at last forgets the other root keys and
   * what the master key before has wrapped. It may be interrupted at any time, and run again.
   */
  async finish(onProgress: (rows: number) => void = () => {}): Promise<number> {
    let rows = 0;
    for (let tries = 1; ; tries++) {
      for (const table of wrappedTables) rows += await this.rewrap(table, (count) => onProgress(rows + count));
      try {
        await this.sql`
          with gone as (delete from vault.root_wrappings where root = ${this.current}::integer and master <> ${this.options.master.name})
          delete from vault.root_keys where number < ${this.current}::integer`;
        await this.load();
        return rows;
      } catch (error) {
        // Another process has stored a key with an older root key in the meantime.
        if ((error as { code?: string }).code !== FOREIGN_KEY_VIOLATION || tries === MOST_PASSES) throw error;
      }
    }
  }

  private async rewrap({ table, key, label }: WrappedTable, onProgress: (rows: number) => void): Promise<number> {
    const { sql } = this;
    let rows = 0;
    for (let after = ''; ; ) {
      const batch = await sql<{ id: string; root: number; wrapped: string }[]>`
        select ${sql(key)} as id, root, wrapped from vault.${sql(table)}
        where ${sql(key)} > ${after} and root <> ${this.current}::integer order by ${sql(key)} limit ${BATCH}`;
      const last = batch.at(-1);
      if (!last) return rows;
      await this.obtain(batch.map(({ root }) => root));
      const texts = batch.map((row) => {
        const text = this.unwrap(row, label(row.id));
        if (text === null) throw new Error(`The key ${row.id} in vault.${table} does not open with its root key.`);
        return { text, label: label(row.id) };
      });
      const fresh = this.seal(texts).map(({ wrapped }) => wrapped);
      // Only what is still as it was read: a key that was retired or destroyed meanwhile stays so.
      const { count } = await sql`
        update vault.${sql(table)} t set wrapped = n.wrapped, root = ${this.current}::integer
        from unnest(${batch.map(({ id }) => id)}::text[], ${batch.map(({ wrapped }) => wrapped)}::text[], ${fresh}::text[])
          as n (id, old, wrapped)
        where t.${sql(key)} = n.id and t.wrapped = n.old`;
      rows += count;
      after = last.id;
      onProgress(rows);
    }
  }
}

/** Rows of a statement of the rotation. */
const BATCH = 1_000;
const MOST_PASSES = 20;
const FOREIGN_KEY_VIOLATION = '23503';

interface WrappingRow {
  number: number;
  master: string | null;
  wrapped: string | null;
}

/** Whether these master keys open all root keys of a vault, given its wrappings. @throws MasterKeyUnavailable */
export async function opensRoots(
  wrappings: readonly { readonly root: number; readonly master: string; readonly wrapped: string }[],
  { master, before }: RootKeysOptions,
): Promise<boolean> {
  const rows = wrappings.map(({ root, ...wrapping }) => ({ number: root, ...wrapping }));
  return openRoots(rows, before ? [master, before] : [master]).then(
    ({ keys }) => keys.size > 0,
    (error) => {
      if (error instanceof WrongMasterKey) return false;
      throw error;
    },
  );
}

const labelOf = (number: number): string => `root key ${number}`;

/** The key by which earlier releases find out whether the master key fits. */
export const CHECK_KEY = 'master-key-check';
/** The key that those of chats that leave nothing behind are derived from. */
export const CHATS_KEY = 'ephemeral-chats';

async function openRoots(rows: readonly WrappingRow[], masters: readonly MasterKey[]) {
  const keys = new Map<number, Buffer>();
  let version: string | null = null;
  let unavailable: unknown;
  for (const master of masters) {
    for (const { number, master: name, wrapped } of rows) {
      if (name !== master.name || wrapped === null || keys.has(number)) continue;
      try {
        const key = await master.unwrap(wrapped, labelOf(number));
        if (key === null) continue;
        keys.set(number, key);
        version = master === masters[0] ? master.versionOf(wrapped) : version;
      } catch (error) {
        if (!(error instanceof MasterKeyUnavailable)) throw error;
        unavailable ??= error;
      }
    }
  }
  if (rows.every(({ number }) => keys.has(number))) return { keys, version };
  if (unavailable) throw unavailable;
  const others = [...new Set(rows.filter(({ number }) => !keys.has(number)).map(({ master }) => master))].join(', ');
  throw new WrongMasterKey(
    `The master key is not the one that this database was set up with (${others}). Restore the right one; nothing was changed.`,
  );
}

const tables: readonly MigrationStep[] = [
  `create table vault.keys (name text primary key, wrapped text not null, created_at timestamptz not null default now())`,
  `create table vault.event_keys (event_id text primary key, name text not null, wrapped text not null);
   create index event_keys_name on vault.event_keys (name)`,
  ['keys', 'event_keys']
    .map(
      (table) => `
      create index ${table}_stream on vault.${table} (${STREAM}, ${DAY});
      create index ${table}_person on vault.${table} (${PERSON})`,
    )
    .join(';'),
  // Root key 0 is what has wrapped the keys of earlier releases, which go on writing it as long as they run beside this one.
  `create table vault.root_keys (number integer primary key, created_at timestamptz not null default now());
   insert into vault.root_keys (number) values (0);
   create table vault.root_wrappings (
     root integer references vault.root_keys on delete cascade, master text, wrapped text not null,
     created_at timestamptz not null default now(), primary key (root, master));
   alter table vault.keys add root integer not null default 0 references vault.root_keys;
   alter table vault.event_keys add root integer not null default 0 references vault.root_keys`,
];

/**
 * Wraps the root key 0. Where the master key is in a file or the environment it is that key itself, as in earlier releases, which can so
 * run beside this one until the first rotation; otherwise it is made now. What keys of chats that leave nothing behind are derived
 * from was that key as well.
 */
const firstWrapping =
  (masters: readonly MasterKey[]): MigrationStep =>
  async (tx: TransactionSql) => {
    const [check] = await tx<{ wrapped: string }[]>`select wrapped from vault.keys where name = ${CHECK_KEY}`;
    const [master] = masters;
    if (!master) throw new Error('There is no master key.');
    const inherited = check ? rootOfEarlierRelease(check.wrapped, masters) : bytesOf(master);
    const key = inherited ?? randomBytes(32);
    for (const one of check ? masters : [master])
      await tx`
        insert into vault.root_wrappings (root, master, wrapped)
        values (0, ${one.name}, ${await one.wrap(key, labelOf(0))})`;
    if (inherited)
      await tx`
        insert into vault.keys (name, wrapped)
        values (${CHATS_KEY}, ${sealText(inherited.toString('base64'), key, CHATS_KEY)})`;
  };

const bytesOf = (master: MasterKey): Buffer | null => (master instanceof LocalMasterKey ? master.bytes : null);

function rootOfEarlierRelease(wrapped: string, masters: readonly MasterKey[]): Buffer {
  for (const bytes of masters.map(bytesOf)) if (bytes && openText(wrapped, bytes, CHECK_KEY) !== null) return bytes;
  throw new WrongMasterKey(
    'The master key is not the one that this database was set up with. Restore the right one; nothing was changed.',
  );
}
