import {
  type EmailSource,
  emailAddress,
  emailKey,
  type Recorded,
  type ServerRole,
  sourceAtRegistration,
  storedEmail,
} from '@verbatim/domain';
import { arrayValue, entityId, keyValue, nameKeyValue, textValue, timeOf, timeValue } from './column-values.js';
import { nameWords, wantedWords } from './name-search.js';
import { cursorKey, isKey, isTime, type Page, type PageRequest, toPage } from './page.js';
import { type Projection, type ReadDatabase, reading, type Transaction } from './projection.js';
import { rowSet } from './row-set.js';
import { containing, substringIndex } from './substring-search.js';

/**
 * Everyone who has an account. The bots of webhooks are among them, so that what they say has an author, but in no list of people,
 * and neither are guests that nobody uses any more.
 */
export const people: Projection = {
  name: 'people',

  // `signed_in_at` changes with every sign-in; no index holds it, and pages have space for it.
  tables: (schema) => `
    CREATE TABLE ${schema}.people (
      id text COLLATE "C" PRIMARY KEY,
      username text NOT NULL,
      username_key text COLLATE "C" NOT NULL,
      display_name text,
      display_words text COLLATE "C",
      email text,
      email_key text COLLATE "C",
      email_source text NOT NULL,
      role text NOT NULL,
      suspended boolean NOT NULL DEFAULT false,
      deactivated boolean NOT NULL DEFAULT false,
      bot boolean NOT NULL,
      webhook boolean NOT NULL,
      guest boolean NOT NULL,
      created_at timestamptz NOT NULL,
      second_factor boolean NOT NULL DEFAULT false,
      signed_in_at timestamptz,
      locked_out_at timestamptz
    ) WITH (fillfactor = 85);`,

  indexes: (schema) => `
    CREATE INDEX ON ${schema}.people (username_key, id) INCLUDE (display_words) WHERE NOT webhook;
    CREATE INDEX ON ${schema}.people (display_words) WHERE NOT bot;
    CREATE INDEX ON ${schema}.people (email_key, email_source, id) WHERE email_key IS NOT NULL;
    CREATE INDEX ON ${schema}.people (id) WHERE role = 'admin';
    CREATE INDEX ON ${schema}.people (created_at, id) INCLUDE (username_key, display_words) WHERE NOT webhook;
    CREATE INDEX ON ${schema}.people (role, username_key, id) INCLUDE (display_words) WHERE NOT webhook;
    CREATE INDEX ON ${schema}.people (username_key, id) WHERE suspended;
    CREATE INDEX ON ${schema}.people (username_key, id) WHERE deactivated;
    CREATE INDEX ON ${schema}.people (username_key, id) WHERE bot AND NOT webhook;
    CREATE INDEX ON ${schema}.people (id) WHERE webhook AND NOT deactivated;
    CREATE INDEX ON ${schema}.people (username_key, id) WHERE second_factor;
    CREATE INDEX ON ${schema}.people (locked_out_at) WHERE locked_out_at IS NOT NULL;
    ${substringIndex(schema, 'people', 'username_key', 'display_words', '(lower(email))')}`,

  async apply(tx, schema, events) {
    const { registered, changed } = fold(events);
    await Promise.all([
      registered.length > 0 && insertRegistered(tx, schema, registered),
      changed.length > 0 && updateChanged(tx, schema, changed),
    ]);
  },
};

type Registered = ReturnType<typeof registeredRow>;
/** Columns that get a new value, as JSON. */
interface Changed {
  readonly id: string;
  readonly patch: string;
}

function fold(events: readonly Recorded[]): { registered: Registered[]; changed: Changed[] } {
  const registered: Registered[] = [];
  const patches = new Map<string, Record<string, string | boolean | null>>();
  const patch = (event: Recorded, change: Record<string, string | boolean | null>) =>
    patches.set(entityId(event), { ...patches.get(entityId(event)), ...change });

  for (const event of events) {
    switch (event.type) {
      case 'UserRegistered':
        registered.push(registeredRow(event));
        break;
      case 'UserChanged': {
        const { displayName } = event.data;
        patch(event, { display_name: textValue(displayName), display_words: nameWords(displayName) });
        break;
      }
      case 'UserEmailChanged': {
        const { email, how } = event.data;
        const email_source = how === 'claimed' ? 'person' : keyValue(how);
        patch(event, { ...emailColumns(email), email_source, linked: false });
        break;
      }
      case 'IdentityLinked': {
        const source = patches.get(entityId(event))?.email_source;
        if (source === undefined || source === 'person') patch(event, { linked: true });
        break;
      }
      case 'UserRoleChanged':
        patch(event, { role: keyValue(event.data.role) });
        break;
      case 'UserSuspended':
      case 'UserReinstated':
        patch(event, { suspended: event.type === 'UserSuspended' });
        break;
      case 'UserDeactivated':
      case 'UserReactivated':
        patch(event, { deactivated: event.type === 'UserDeactivated' });
        break;
      case 'TotpEnabled':
      case 'TotpDisabled':
        patch(event, { second_factor: event.type === 'TotpEnabled' });
        break;
      case 'SessionStarted':
        patch(event, { signed_in_at: timeValue(event), locked_out_at: null });
        break;
      case 'SignInLockedOut':
        patch(event, { locked_out_at: timeValue(event) });
        break;
    }
  }
  return { registered, changed: [...patches].map(([id, change]) => ({ id, patch: JSON.stringify(change) })) };
}

function registeredRow(event: Extract<Recorded, { type: 'UserRegistered' }>) {
  const { username, displayName, email, role, origin } = event.data;
  return {
    id: entityId(event),
    username: textValue(username) ?? '',
    usernameKey: nameKeyValue(username) ?? '',
    displayName: textValue(displayName),
    displayWords: nameWords(displayName),
    email: emailColumns(email).email,
    emailKey: emailColumns(email).email_key,
    emailSource: sourceAtRegistration(origin),
    role: keyValue(role),
    bot: String(origin === 'bot' || origin === 'webhook'),
    webhook: String(origin === 'webhook'),
    guest: String(origin === 'guest'),
    createdAt: timeValue(event),
  };
}

const emailColumns = (email: string | null | undefined) => {
  const stored = textValue(storedEmail(email ?? null));
  return { email: stored, email_key: stored === null ? null : keyValue(emailKey(stored)) };
};

const registeredRows = rowSet('registered', {
  id: ['id', 'text'],
  username: ['username', 'text'],
  username_key: ['usernameKey', 'text'],
  display_name: ['displayName', 'text'],
  display_words: ['displayWords', 'text'],
  email: ['email', 'text'],
  email_key: ['emailKey', 'text'],
  email_source: ['emailSource', 'text'],
  role: ['role', 'text'],
  bot: ['bot', 'boolean'],
  webhook: ['webhook', 'boolean'],
  guest: ['guest', 'boolean'],
  created_at: ['createdAt', 'timestamptz'],
});

const insertRegistered = (tx: Transaction, schema: string, rows: readonly Registered[]) => tx`
  INSERT INTO ${tx(schema)}.people (
    id, username, username_key, display_name, display_words, email, email_key, email_source, role, bot, webhook, guest,
    created_at)
  SELECT * FROM ${registeredRows(tx, rows)}
  ON CONFLICT DO NOTHING`;

const changedRows = rowSet('changed', { id: ['id', 'text'], patch: ['patch', 'jsonb'] });

const updateChanged = (tx: Transaction, schema: string, rows: readonly Changed[]) => tx`
  UPDATE ${tx(schema)}.people p SET
    display_name = CASE WHEN patch ? 'display_name' THEN patch ->> 'display_name' ELSE display_name END,
    display_words = CASE WHEN patch ? 'display_words' THEN patch ->> 'display_words' ELSE display_words END,
    email = CASE WHEN patch ? 'email' THEN patch ->> 'email' ELSE email END,
    email_key = CASE WHEN patch ? 'email' THEN patch ->> 'email_key' ELSE email_key END,
    email_source = CASE
      WHEN (patch -> 'linked')::boolean AND coalesce(patch ->> 'email_source', email_source) = 'person' THEN 'provider'
      ELSE coalesce(patch ->> 'email_source', email_source) END,
    role = coalesce(patch ->> 'role', role),
    suspended = coalesce((patch -> 'suspended')::boolean, suspended),
    deactivated = coalesce((patch -> 'deactivated')::boolean, deactivated),
    second_factor = coalesce((patch -> 'second_factor')::boolean, second_factor),
    signed_in_at = coalesce((patch ->> 'signed_in_at')::timestamptz, signed_in_at),
    locked_out_at = CASE WHEN patch ? 'locked_out_at' THEN (patch ->> 'locked_out_at')::timestamptz ELSE locked_out_at END
  FROM ${changedRows(tx, rows)}
  WHERE p.id = changed.id`;

// Queries -----------------------------------------------------------------------------------------------------------

export interface User {
  readonly id: string;
  readonly username: string;
  /** Null once erased. */
  readonly displayName: string | null;
  /** Not for everybody: the person's own, and for administrators. */
  readonly email: string | null;
  readonly role: ServerRole;
  readonly suspended: boolean;
  readonly deactivated: boolean;
  /** A program's account. */
  readonly bot: boolean;
  /** Somebody with a bare name, who came through the door of an older chat system. */
  readonly guest: boolean;
  readonly createdAt: string;
  readonly secondFactor: boolean;
  /** Of the last sign-in; null: never. */
  readonly signedInAt: string | null;
}

export async function getUser(db: ReadDatabase, id: string): Promise<User | null> {
  return (await getUsers(db, [id])).get(id) ?? null;
}

/** Those of the users asked for that exist, by id. */
export async function getUsers(db: ReadDatabase, ids: readonly string[]): Promise<Map<string, User>> {
  const { sql, schema } = reading(db);
  const rows = await sql<
    UserRow[]
  >`SELECT * FROM ${schema}.people WHERE id = ANY(${arrayValue(ids.map(keyValue))}::text[])`;
  return new Map(rows.map((row) => [row.id, toUser(row)]));
}

/** Which users are wanted: those for whom all of it holds. */
export interface WantedUsers {
  /** Only users whose names contain all these words, as `wantedWords` compares them. */
  readonly q?: string;
  /** Whether a word of `q` may be part of the e-mail address instead, which not everybody may look for. */
  readonly byEmail?: boolean;
  /** Only users with one of these ids. */
  readonly ids?: readonly string[];
  /** Only users with one of these usernames, whatever the case. */
  readonly usernames?: readonly string[];
  readonly role?: ServerRole;
  /** Who is both suspended and deactivated counts as deactivated. */
  readonly status?: 'active' | 'suspended' | 'deactivated';
  readonly bot?: boolean;
  readonly secondFactor?: boolean;
  /** RFC 3339: made then or later; made before then. */
  readonly createdFrom?: string;
  readonly createdBefore?: string;
  /** RFC 3339: last signed in then or later; not since then, or never. */
  readonly signedInFrom?: string;
  readonly signedInBefore?: string;
}

export interface UsersQuery extends WantedUsers {
  /** `username`, if absent. */
  readonly sort?: 'username' | 'createdAt';
  /** `asc`, if absent. */
  readonly order?: 'asc' | 'desc';
  readonly page: PageRequest;
}

/**
 * Users in order of their names, or of the time since when they are known. The statement is planned for its values each
 * time (1 ms): a plan made for any pattern would walk the whole list in order for one that nobody's name contains. Where the list
 * has to be walked, as for a name of one letter, it is enough to walk an index that holds both names: so ids are found first.
 */
export async function findUsers(db: ReadDatabase, query: UsersQuery): Promise<Page<User>> {
  const { sort = 'username', order = 'asc', page } = query;
  const byName = sort === 'username';
  const list = `users ${sort} ${order}`;
  const after = cursorKey(page, list, byName ? isKey : isTime, isKey);
  const key = byName ? 'username_key' : 'created_at';

  const values: string[] = [];
  const value = (text: string) => `$${values.push(text)}`;
  const conditions = ['NOT webhook', 'NOT (guest AND deactivated)', ...conditionsOf(query, value)];
  if (after) conditions.push(`(${key}, id) ${order === 'asc' ? '>' : '<'} (${value(after[0])}, ${value(after[1])})`);

  const rows = await db.sql.unsafe<UserRow[]>(
    `SELECT p.*
    FROM (
      SELECT id FROM ${db.schema()}.people WHERE ${conditions.join(' AND ')}
      ORDER BY ${key} ${order}, id ${order} LIMIT ${page.limit + 1}
    ) AS found
    JOIN ${db.schema()}.people p ON p.id = found.id
    ORDER BY p.${key} ${order}, p.id ${order}`,
    values,
  );
  return toPage(rows, page, list, toUser, (row) => [byName ? row.username_key : timeOf(row.created_at), row.id]);
}

const standings = {
  active: 'NOT suspended AND NOT deactivated',
  suspended: 'suspended AND NOT deactivated',
  deactivated: 'deactivated',
};

/** As SQL; `value` makes a parameter of a value. */
function conditionsOf(wanted: WantedUsers, value: (text: string) => string): string[] {
  const { q, byEmail, ids, usernames, role, status, bot, secondFactor } = wanted;
  const { createdFrom, createdBefore, signedInFrom, signedInBefore } = wanted;
  const conditions: string[] = [];
  if (q) {
    const words = wantedWords(q).map(({ typed, patterns }) => {
      const inName = patterns.map(value).flatMap((p) => [`username_key LIKE ${p}`, `display_words LIKE ${p}`]);
      const isLong = typed.includes('@') || typed.length >= 3;
      const inEmail = byEmail && isLong ? [`lower(email) LIKE lower(${value(containing(typed))})`] : [];
      // A whole address, in any of its spellings.
      if (byEmail && emailAddress(typed) !== null) inEmail.push(`email_key = ${value(emailKey(typed))}`);
      return `(${[...inName, ...inEmail].join(' OR ')})`;
    });
    conditions.push(...(words.length > 0 ? words : ['false']));
  }
  if (ids) conditions.push(`id IN (${ids.map((id) => value(keyValue(id))).join()})`);
  if (usernames)
    conditions.push(`username_key IN (${usernames.map((name) => value(nameKeyValue(name) ?? '')).join()})`);
  if (role) conditions.push(`role = ${value(role)}`);
  if (status) conditions.push(standings[status]);
  if (bot !== undefined) conditions.push(bot ? 'bot' : 'NOT bot');
  if (secondFactor !== undefined) conditions.push(secondFactor ? 'second_factor' : 'NOT second_factor');
  if (createdFrom) conditions.push(`created_at >= ${value(createdFrom)}`);
  if (createdBefore) conditions.push(`created_at < ${value(createdBefore)}`);
  if (signedInFrom) conditions.push(`signed_in_at >= ${value(signedInFrom)}`);
  if (signedInBefore) conditions.push(`(signed_in_at IS NULL OR signed_in_at < ${value(signedInBefore)})`);
  return conditions;
}

/** Ids of active administrators, as far as the read model has come: for looking more closely at each. */
export async function listAdministrators(db: ReadDatabase, most: number): Promise<string[]> {
  const { sql, schema } = reading(db);
  const rows = await sql<{ id: string }[]>`
    SELECT id FROM ${schema}.people WHERE role = 'admin' AND NOT suspended AND NOT deactivated ORDER BY id LIMIT ${most}`;
  return rows.map(({ id }) => id);
}

/**
 * People who were locked out by too many wrong passwords after `since` (RFC 3339) and have not signed in since, the latest
 * first, at most `most`. Suspended and deactivated people are left out: they could not sign in anyway.
 */
export async function lockedOut(db: ReadDatabase, since: string, most: number): Promise<{ id: string; at: string }[]> {
  const { sql, schema } = reading(db);
  const rows = await sql<{ id: string; locked_out_at: Date }[]>`
    SELECT id, locked_out_at FROM ${schema}.people
    WHERE locked_out_at > ${since} AND NOT suspended AND NOT deactivated
    ORDER BY locked_out_at DESC LIMIT ${most}`;
  return rows.map(({ id, locked_out_at }) => ({ id, at: timeOf(locked_out_at) }));
}

/**
 * Ids of the people whose accounts have this e-mail address, however it is spelled, as far as the read model has come: for looking
 * more closely at each. Only those for whose address one of `sources` vouches, the oldest first, at most `most`.
 */
export async function peopleWithEmail(
  db: ReadDatabase,
  email: string,
  sources: readonly EmailSource[],
  most: number,
): Promise<string[]> {
  const { sql, schema } = reading(db);
  const rows = await sql<{ id: string }[]>`
    SELECT id FROM ${schema}.people
    WHERE email_key = ${keyValue(emailKey(email))} AND email_source = ANY(${arrayValue(sources)}::text[])
    ORDER BY created_at, id LIMIT ${most}`;
  return rows.map(({ id }) => id);
}

/** Whether a person, or somebody's account before it was given up, has this username or display name, whatever the case. */
export async function isNameOfPerson(db: ReadDatabase, name: string): Promise<boolean> {
  const { sql, schema } = reading(db);
  const rows = await sql`
    SELECT 1 FROM ${schema}.people WHERE display_words = ${nameWords(name)} AND NOT bot AND NOT guest
    UNION ALL SELECT 1 FROM ${schema}.people WHERE username_key = ${nameKeyValue(name)} AND NOT webhook LIMIT 1`;
  return rows.length > 0;
}

/** The ids of all bots, as a part of queries that ask the same database for something else. */
export function botsIn(db: ReadDatabase) {
  const { sql, schema } = reading(db);
  return sql`SELECT id::uuid FROM ${schema}.people WHERE bot AND NOT webhook`;
}

interface UserRow {
  id: string;
  username: string;
  username_key: string;
  display_name: string | null;
  email: string | null;
  role: ServerRole;
  suspended: boolean;
  bot: boolean;
  guest: boolean;
  deactivated: boolean;
  created_at: Date;
  second_factor: boolean;
  signed_in_at: Date | null;
}

const toUser = (row: UserRow): User => ({
  id: row.id,
  username: row.username,
  displayName: row.display_name,
  email: row.email,
  role: row.role,
  suspended: row.suspended,
  bot: row.bot,
  guest: row.guest,
  deactivated: row.deactivated,
  createdAt: timeOf(row.created_at),
  secondFactor: row.second_factor,
  signedInAt: row.signed_in_at && timeOf(row.signed_in_at),
});
