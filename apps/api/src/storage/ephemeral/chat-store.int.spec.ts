import { randomBytes } from 'node:crypto';
import { type ChatChange, endChat, joinChat, openChat, sayInChat } from '@verbatim/domain';
import { type KeyRing, PostgresKeyRing } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { connect } from '../database/pool.js';
import { newChatSecret } from './chat-secrets.js';
import type { ChatCredentials, KeptChat } from './chat-store.js';
import { PostgresChatStore } from './postgres-chat-store.js';
import { migrateEphemeral } from './schema.js';

const at = new Date('2026-03-01T12:00:00Z');
const later = new Date('2026-03-01T13:00:00Z');
const many = 1_000;

let databaseUrl: string;
let sql: Sql;
let store: PostgresChatStore;
let keys: KeyRing;

beforeAll(async () => {
  databaseUrl = await createDatabase();
  sql = connect(databaseUrl);
  await migrateEphemeral(sql);
  keys = await PostgresKeyRing.open(sql, randomBytes(32));
  store = new PostgresChatStore(sql, keys);
});
afterAll(async () => {
  await sql.end();
  await dropDatabase(databaseUrl);
});

const credentials = (): ChatCredentials => ({ code: newChatSecret(), token: newChatSecret() });

/** A chat with both participants; returns the credentials of each. */
async function readyChat(): Promise<[ChatCredentials, ChatCredentials]> {
  const ada = credentials();
  const bob = { code: ada.code, token: newChatSecret() };
  expect(await store.open(ada, openChat, at, many)).toBe(true);
  const chat = (await store.find(ada.code)) as KeptChat;
  expect(await store.apply(chat, joinChat(chat.state) as ChatChange, at, { joinerToken: bob.token })).toBe(true);
  return [ada, bob];
}

const saying = (chat: KeptChat, text: string) => sayInChat(chat.state, 'creator', [text], 0) as ChatChange;

describe('the store of chats', () => {
  it('keeps up to the limit; silent chats make room for new ones, closed ones first', async () => {
    const [{ chats } = { chats: 0 }] = await sql<
      { chats: number }[]
    >`select count(*)::int as chats from ephemeral.chats`;
    const silent = credentials();
    expect(await store.open(silent, openChat, at, chats + 1)).toBe(true);
    expect(await store.open(credentials(), openChat, later, chats + 1)).toBe(false);
    expect(await store.dropSilent(at)).toBe(false);
    expect(await store.dropSilent(later)).toBe(true);
    expect(await store.find(silent.code)).toBeNull();
    expect(await store.open(credentials(), openChat, later, chats + 1)).toBe(true);
    const [[heard, gone], [ended], [left]] = [await readyChat(), await readyChat(), await readyChat()];
    await store.noteSeen(heard, later, null);
    const chat = (await store.find(ended.code)) as KeptChat;
    expect(await store.apply(chat, endChat(chat.state) as ChatChange, at)).toBe(true);
    expect((await store.readyAndSilent(later)).map(({ id }) => id)).toEqual([(await store.find(left.code))?.id]);
    for (const { code } of [ended, left]) {
      expect(await store.dropSilent(later)).toBe(true);
      expect(await store.find(code)).toBeNull();
    }
    expect(await store.dropSilent(later)).toBe(false);
    expect(await store.enter(gone)).not.toBeNull();
  });

  it('keeps trying to remove deleted data from the files', async () => {
    const broken = connect(databaseUrl);
    await broken.end();
    const keeper = new PostgresChatStore(broken, keys);
    for (const _ of ['once', 'again']) await expect(keeper.removeTraces()).rejects.toThrow();
  });

  it('applies a change only if no other came first', async () => {
    const [ada] = await readyChat();
    const chat = (await store.find(ada.code)) as KeptChat;
    const outcomes = await Promise.all(
      ['one', 'two', 'three'].map((text) => store.apply(chat, saying(chat, text), at, { code: ada.code })),
    );
    expect(outcomes.filter((applied) => applied)).toHaveLength(1);
    const look = await store.look(ada.code, 'joiner');
    expect(look?.messages.filter((message) => 'text' in message)).toHaveLength(1);
  });

  it('opens texts with the code, the salt and the key of the vault only', async () => {
    const [ada] = await readyChat();
    const chat = (await store.find(ada.code)) as KeptChat;
    await store.apply(chat, saying(chat, 'secret'), at, { code: ada.code });
    const texts = async (keeper: PostgresChatStore) =>
      (await keeper.look(ada.code, 'joiner'))?.messages.flatMap((message) => ('text' in message ? message.text : []));
    expect(await texts(store)).toEqual(['secret']);
    await sql`alter table vault.keys rename to keys_of_this`;
    await sql`create table vault.keys (like vault.keys_of_this including all)`;
    const others = await PostgresKeyRing.open(sql, keys instanceof PostgresKeyRing ? keys.roots : randomBytes(32));
    expect(await texts(new PostgresChatStore(sql, others))).toEqual([]);
    await sql`drop table vault.keys`;
    await sql`alter table vault.keys_of_this rename to keys`;
    await sql`update ephemeral.chats set salt = ${randomBytes(32)} where id = ${chat.id}`;
    expect(await texts(store)).toEqual([]);
  });

  it('knows participants by both secrets together', async () => {
    const [[ada, bob], [eve]] = [await readyChat(), await readyChat()];
    expect(await store.noteSeen(ada, at, null)).toMatchObject({ side: 'creator' });
    expect(await store.enter(bob)).toMatchObject({ side: 'joiner', waitingForOther: 0 });
    expect(await store.enter({ code: ada.code, token: eve.token })).toBeNull();
    expect(await store.noteSeen({ code: eve.code, token: ada.token }, at, null)).toBeNull();
  });
});
