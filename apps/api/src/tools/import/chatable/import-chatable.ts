import { createHash } from 'node:crypto';
import { type Actor, isRejection, type Rejection } from '@verbatim/domain';
import { directRoomId } from '../../../application/rooms/direct-rooms.js';
import { PasswordResetIssuer } from '../../../application/sessions/password-reset-issuer.js';
import { newId } from '../../../new-id.js';
import { Credentials } from '../../../storage/vault/credentials.js';
import type { Tools } from '../../tools.js';
import { deliver } from '../delivery.js';
import { ImportAccounts } from '../import-accounts.js';
import type { Step } from '../import-plan.js';
import { importer, openImporter } from '../import-room.js';
import type { NicknameAccount } from '../nickname-account.js';
import { answered, ImportStopped, patiently } from '../patience.js';
import { READERS_PATIENCE_MS } from '../readers.js';
import type { ChatableDump, ChatableMessage, ChatablePerson } from './chatable-dump.js';

/** Accounts, or conversations, processed concurrently. */
const AT_ONCE = 8;

/** The source named in events. It is the same for each dump, so that a later one continues where an earlier one ended. */
const SOURCE = createHash('sha256').update('chatable').digest('hex');

/** The operator, with the rights of an administrator. */
const operator: Actor = { id: importer.id, role: 'admin' };

export interface ImportedPerson {
  readonly person: ChatablePerson;
  readonly userId: string;
  readonly username: string;
}

export interface ChatableReport {
  readonly people: readonly ImportedPerson[];
  /** Events recorded for messages and conversations; none if everything had been imported before. */
  readonly events: number;
  readonly refused: readonly string[];
  /** Whether readers could see everything by then. */
  readonly visible: boolean;
}

/**
 * Creates an account for each person and imports their messages into direct rooms, each with its time. Calling it again
 * completes an interrupted import, and otherwise changes nothing. Throws ImportStopped.
 */
export async function importChatable(
  tools: Tools,
  { people, conversations }: ChatableDump,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<ChatableReport> {
  const accounts = new ImportAccounts(tools);
  await openImporter(accounts, people[0]?.registeredAt);
  const total = people.length + conversations.reduce((sum, messages) => sum + messages.length, 0);
  let done = 0;
  const progress = (by: number) => {
    done += by;
    onProgress(done, total);
  };
  const imported = new Map<ChatablePerson, ImportedPerson>();
  await inParallel(people, async (person) => {
    imported.set(person, await openAccount(tools, accounts, person));
    progress(1);
  });
  let events = 0;
  const refused: string[] = [];
  await inParallel(conversations, async (messages) => {
    const delivery = await importConversation(tools, messages, imported);
    events += delivery.events;
    refused.push(...delivery.refused.map(({ reason }) => reason));
    progress(messages.length);
  });
  await inParallel(people, (person) => closeInactive(tools, person, imported));
  const visible = await tools.readModels.reached(await tools.readModels.head(), READERS_PATIENCE_MS);
  return { people: people.map((person) => known(imported, person)), events, refused, visible };
}

/** A link token for each person without a password, with which they can choose one within a day. It replaces an earlier one. */
export async function issueResets(
  { users, sql, time }: Tools,
  people: readonly ImportedPerson[],
): Promise<ReadonlyMap<ImportedPerson, string>> {
  const credentials = new Credentials(sql, time.now);
  const issuer = new PasswordResetIssuer(users, credentials);
  const tokens = new Map<ImportedPerson, string>();
  await inParallel(people, async (imported) => {
    const { userId, person } = imported;
    if (!person.active || (await credentials.has(userId))) return;
    const issued = await patiently(async () =>
      answered(await issuer.issue(userId, operator, { correlation: newId() })),
    );
    if (!isRejection(issued)) tokens.set(imported, issued.token);
  });
  return tokens;
}

async function openAccount(tools: Tools, accounts: ImportAccounts, person: ChatablePerson): Promise<ImportedPerson> {
  const { account, otherwise, email, phone, registeredAt } = person;
  const { userId } = account;
  const { state } = await patiently(() => tools.users.newest(userId));
  if (state.status !== 'unborn') return { person, userId, username: state.username };
  const holder = await tools.names.ownerOf('user', account.username);
  const chosen: NicknameAccount = holder === null || holder === userId ? account : otherwise;
  await accounts.open(chosen, registeredAt, email);
  // So that no one else registers with them; someone may already have.
  if (email && phone) await tools.contacts.claim(userId, { email, phone }, async () => true);
  return { person, userId, username: chosen.username };
}

async function importConversation(
  tools: Tools,
  messages: readonly ChatableMessage[],
  imported: ReadonlyMap<ChatablePerson, ImportedPerson>,
) {
  const [first] = messages;
  if (!first) return { events: 0, refused: [] };
  const ids = [first.author, first.recipient].map((person) => known(imported, person).userId) as [string, string];
  const roomId = directRoomId(...ids);
  const actor = { id: ids[0], role: 'user' } as const;
  const { state } = await patiently(() => tools.rooms.newest(roomId));
  let created = 0;
  if (state.status === 'unborn') {
    const create = { type: 'CreateDirectRoom', actor, peerId: ids[1] } as const;
    const context = { correlation: newId(), occurredAt: first.at };
    created = accept(await patiently(async () => answered(await tools.rooms.send(roomId, create, context)))).events;
  }
  const place = state.imports[SOURCE] ?? -1;
  const due = messages.filter((message) => message.place > place).map((message) => stepOf(message, imported));
  const delivery = await deliver(tools, roomId, due, () => undefined);
  return { events: created + delivery.events, refused: delivery.refused };
}

function stepOf(message: ChatableMessage, imported: ReadonlyMap<ChatablePerson, ImportedPerson>): Step {
  const { id, place, author, text, at } = message;
  const actor = { id: known(imported, author).userId, role: 'user' } as const;
  const post = { type: 'PostMessage', actor, messageId: id, text, replyTo: null, kind: 'text' } as const;
  const command = { ...post, imported: { file: SOURCE, place } };
  return { line: 0, place, occurredAt: at, account: author.account, command };
}

async function closeInactive(
  { users }: Tools,
  person: ChatablePerson,
  imported: ReadonlyMap<ChatablePerson, ImportedPerson>,
): Promise<void> {
  if (person.active) return;
  const { userId } = known(imported, person);
  const deactivate = { type: 'ChangeUser', actor: operator, userId, deactivated: true } as const;
  accept(await patiently(async () => answered(await users.send(userId, deactivate, { correlation: newId() }))));
}

function known(imported: ReadonlyMap<ChatablePerson, ImportedPerson>, person: ChatablePerson): ImportedPerson {
  const found = imported.get(person);
  if (!found) throw new Error(`${person.name} has no account.`);
  return found;
}

function accept<T extends object>(outcome: T | Rejection): T {
  if (isRejection(outcome)) throw new ImportStopped(outcome.detail);
  return outcome;
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
