import { stat } from 'node:fs/promises';
import { emailAddress, normalize } from '@verbatim/domain';
import { messageText } from '@verbatim/protocol';
import { derivedId } from '../../../derived-id.js';
import { UsageError } from '../../command.js';
import { accountOf, type NicknameAccount } from '../nickname-account.js';
import { type DumpRow, rowsOf } from './pg-dump.js';

/** Maximum bytes of a dump; its rows are kept in memory. */
const MAX_BYTES = 1024 * 1024 * 1024;

/** A person with a chatable account. */
export interface ChatablePerson {
  /** The user name in chatable. */
  readonly name: string;
  readonly account: NicknameAccount;
  /** The account to use if the username is taken. */
  readonly otherwise: NicknameAccount;
  readonly email: string | null;
  readonly phone: string | null;
  readonly active: boolean;
  /** RFC 3339. */
  readonly registeredAt: string;
}

export interface ChatableMessage {
  readonly id: string;
  /** Microseconds since 1970, unique and increasing within a conversation. */
  readonly place: number;
  readonly author: ChatablePerson;
  readonly recipient: ChatablePerson;
  readonly text: string;
  /** RFC 3339. */
  readonly at: string;
}

/** The content of a dump, as it will be imported. */
export interface ChatableDump {
  readonly people: readonly ChatablePerson[];
  /** The messages of each pair of people, oldest first. */
  readonly conversations: readonly (readonly ChatableMessage[])[];
  /** How many rows are left out, by reason. */
  readonly skipped: ReadonlyMap<string, number>;
}

/** Reads people and messages. Throws UsageError for a file that is not a dump of chatable. */
export async function readDump(path: string): Promise<ChatableDump> {
  const found = await stat(path).catch((error: Error) => {
    throw new UsageError(`${path} cannot be read: ${error.message}`);
  });
  if (found.size > MAX_BYTES)
    throw new UsageError(`${path} has more than 1 GiB. Dump only the tables users and envelopes.`);
  const skipped = new Map<string, number>();
  const skip = (reason: string) => void skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
  const users: DumpRow[] = [];
  const envelopes: DumpRow[] = [];
  for await (const { table, row } of rowsOf(path, ['users', 'envelopes']))
    (table === 'users' ? users : envelopes).push(row);
  if (users.length === 0) throw new UsageError(`${path} holds no rows of the table users.`);
  const people = peopleOf(users, skip);
  return { people: [...people.values()], conversations: conversationsOf(envelopes, people, skip), skipped };
}

type Skip = (reason: string) => void;

// People --------------------------------------------------------------------------------------------------------------

/** People by the id of their row. If names differ only in case, the first to register keeps the name. */
function peopleOf(rows: readonly DumpRow[], skip: Skip): ReadonlyMap<string, ChatablePerson> {
  const people = new Map<string, ChatablePerson>();
  const taken = new Set<string>();
  for (const row of rows.toSorted((a, b) => Number(a.id) - Number(b.id))) {
    const { id, username: name } = row;
    if (!id || !name) {
      skip('an account without a name');
      continue;
    }
    const person = personOf(row, name, taken);
    taken.add(person.account.username);
    people.set(id, person);
  }
  return people;
}

/** Digits appended to a changed username, so that it is unique. */
const DIGITS = 12;

function personOf(row: DumpRow, name: string, taken: ReadonlySet<string>): ChatablePerson {
  const userId = derivedId('chatable user', name);
  const readable = accountOf(name).username.slice(0, -DIGITS);
  const named = { userId, displayName: displayNameOf(row, name) };
  const otherwise = { ...named, username: `${readable}${userId.slice(-DIGITS)}` };
  const username = name.toLowerCase();
  const fits = /^[a-z0-9_]{3,32}$/.test(username) && !taken.has(username);
  return {
    name,
    account: fits ? { ...named, username } : otherwise,
    otherwise,
    email: row.email ? emailAddress(row.email) : null,
    phone: row.phone_number ?? null,
    active: row.is_active !== 'f',
    registeredAt: timeOf(row.created_at)?.at ?? new Date(0).toISOString(),
  };
}

/** First and last name, if valid as a display name; otherwise the user name. */
function displayNameOf({ first_name, last_name }: DumpRow, name: string): string {
  const full = `${first_name ?? ''} ${last_name ?? ''}`.trim();
  const shown = accountOf(normalize(full));
  return full !== '' && shown.displayName !== shown.username ? shown.displayName : accountOf(name).displayName;
}

// Messages ------------------------------------------------------------------------------------------------------------

interface Sent {
  readonly author: ChatablePerson;
  readonly recipient: ChatablePerson;
  readonly text: string;
  readonly time: Instant;
  /** Copies found of the sender and of the recipient, and whether any was not deleted. */
  readonly copies: { sender: number; recipient: number };
  alive: boolean;
}

/** Each message has two rows, one for each of the two people; either may be missing. */
function conversationsOf(rows: readonly DumpRow[], people: ReadonlyMap<string, ChatablePerson>, skip: Skip) {
  const sent = new Map<string, Sent>();
  for (const row of rows) {
    const owner = people.get(row.user_id ?? '');
    const peer = people.get(row.with_user_id ?? '');
    const time = timeOf(row.created_at);
    if (!owner || !peer) skip('a copy of a message of a missing account');
    else if (owner === peer) skip('a copy of a message to oneself');
    else if (!time) skip('a copy of a message without a time');
    else {
      const incoming = row.is_incoming === 't';
      const [author, recipient] = incoming ? [peer, owner] : [owner, peer];
      const text = row.message ?? '';
      const key = JSON.stringify([author.name, recipient.name, time.micros, text]);
      const message = sent.get(key) ?? {
        author,
        recipient,
        text,
        time,
        copies: { sender: 0, recipient: 0 },
        alive: false,
      };
      sent.set(key, message);
      message.copies[incoming ? 'recipient' : 'sender'] += 1;
      message.alive ||= row.deleted_at === null || row.deleted_at === undefined;
    }
  }
  return inConversations(sent, skip);
}

function inConversations(sent: ReadonlyMap<string, Sent>, skip: Skip): ChatableMessage[][] {
  const conversations = new Map<string, Omit<ChatableMessage, 'place'>[]>();
  const micros = new Map<string, number>();
  for (const [key, { author, recipient, text, time, copies, alive }] of sent) {
    const read = messageText.safeParse(text);
    if (!alive) skip('a message that both have deleted');
    else if (!read.success) skip(`a message whose text ${read.error.issues[0]?.message}`);
    else {
      const pair = JSON.stringify([author.name, recipient.name].sort());
      const conversation = conversations.get(pair) ?? [];
      conversations.set(pair, conversation);
      for (let nth = 0; nth < Math.max(copies.sender, copies.recipient); nth++) {
        const id = derivedId('chatable message', key, `${nth}`);
        micros.set(id, time.micros);
        conversation.push({ id, author, recipient, text: read.data, at: time.at });
      }
    }
  }
  return [...conversations.values()].map((messages) => placed(messages, micros));
}

/** In the order of their times, with unique places. */
function placed(messages: readonly Omit<ChatableMessage, 'place'>[], micros: ReadonlyMap<string, number>) {
  let last = Number.NEGATIVE_INFINITY;
  const timeOf = ({ id }: { readonly id: string }) => micros.get(id) ?? 0;
  return messages
    .toSorted((a, b) => timeOf(a) - timeOf(b) || (a.id < b.id ? -1 : 1))
    .map((message) => {
      last = Math.max(timeOf(message), last + 1);
      return { ...message, place: last };
    });
}

// Times ---------------------------------------------------------------------------------------------------------------

interface Instant {
  readonly micros: number;
  /** RFC 3339, in milliseconds. */
  readonly at: string;
}

/** Reads `2015-03-01 12:00:00.123456+00`; without a zone it is UTC. */
function timeOf(text: string | null | undefined): Instant | null {
  const [, day, clock, fraction = '', zone = '+00'] =
    /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?([+-]\d\d(?::\d\d)?)?$/.exec(text ?? '') ?? [];
  const millis = Date.parse(`${day}T${clock}${zone.length === 3 ? `${zone}:00` : zone}`);
  if (Number.isNaN(millis)) return null;
  const micros = millis * 1_000 + Number(fraction.padEnd(6, '0'));
  return { micros, at: new Date(Math.floor(micros / 1_000)).toISOString() };
}
