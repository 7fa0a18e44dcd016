import type { ChatChange, ChatNote, ChatSide, ChatStatus, EphemeralChat } from '@verbatim/domain';
import { CHATS_KEY, type KeyRing, openText, sealText } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import { newId } from '../../new-id.js';
import { CHAT_CHANNEL } from './chat-news.js';
import { chatKey, chatSecretHash, newChatSalt, newChatSecret } from './chat-secrets.js';
import {
  type ChatCounts,
  type ChatCredentials,
  type ChatLook,
  ChatStore,
  type CountedTurn,
  type EnteredChat,
  type KeptChat,
  type Participant,
  type WaitingMessage,
} from './chat-store.js';

/** Chats per maintenance batch. */
const BATCH = 200;

/** Milliseconds after which traces are removed in any case: another replica may have been killed before it did so. */
const VACUUM_EVERY_MS = 300_000;

/**
 * Chats in the schema `ephemeral`. Each method is one statement, so changes are atomic; a change applies only to the
 * version of the chat it was decided on.
 */
export class PostgresChatStore extends ChatStore {
  /** Whether there may be deleted rows in the files; unknown at startup. */
  private traces = true;
  private vacuumedAt = performance.now();

  constructor(
    private readonly sql: Sql,
    private readonly keys: KeyRing,
  ) {
    super();
  }

  async open({ code, token }: ChatCredentials, change: ChatChange, at: Date, most: number): Promise<boolean> {
    const { sql } = this;
    const id = newId();
    const opened = await sql`
      with chat as (
        insert into ephemeral.chats (id, code_hash, salt, status, opened_at)
        select ${id}::uuid, ${chatSecretHash('code', code)}, ${newChatSalt()}, ${change.status}, ${at}
        where (select count(*) from ephemeral.chats) < ${most}::int
        returning id),
      creator as (
        insert into ephemeral.participants (chat_id, side, token_hash, seen_at)
        select id, 'creator', ${chatSecretHash('token', token)}, ${at} from chat),
      ${this.addingMessages(this.rowsOf(change, id, null))},
      ${this.counting(change, at)}
      select from chat`;
    return opened.count > 0;
  }

  async dropSilent(since: Date): Promise<boolean> {
    const { count } = await this.sql`
      delete from ephemeral.chats where id = (
        select c.id from ephemeral.chats c join ephemeral.participants p on p.chat_id = c.id
        group by c.id having max(p.seen_at) < ${since} order by c.status <> 'closed', max(p.seen_at) limit 1)`;
    if (count > 0) this.traces = true;
    return count > 0;
  }

  async find(code: string): Promise<KeptChat | null> {
    const [row] = await this.sql<Row[]>`${this.chats()} where c.code_hash = ${chatSecretHash('code', code)}`;
    return row ? toChat(row) : null;
  }

  async byId(id: string): Promise<KeptChat | null> {
    const [row] = await this.sql<Row[]>`${this.chats()} where c.id = ${id}`;
    return row ? toChat(row) : null;
  }

  async enter(credentials: ChatCredentials): Promise<EnteredChat | null> {
    const { sql } = this;
    const [row] = await sql<(Row & { side: ChatSide; waiting: number })[]>`
      ${this.chats(sql`, mine.side, (
        select count(*)::int from ephemeral.messages m
        where m.chat_id = c.id and m.addressee <> mine.side and m.sealed is not null) as waiting`)}
      join ephemeral.participants mine on mine.chat_id = c.id
      where c.code_hash = ${chatSecretHash('code', credentials.code)}
        and mine.token_hash = ${chatSecretHash('token', credentials.token)}`;
    return row ? { chat: toChat(row), side: row.side, waitingForOther: row.waiting } : null;
  }

  async noteSeen({ code, token }: ChatCredentials, at: Date, poll: string | null): Promise<Participant | null> {
    const [seen] = await this.sql<Participant[]>`
      with seen as (
        update ephemeral.participants p
        set seen_at = greatest(p.seen_at, ${at}::timestamptz), poll = coalesce(${poll}::uuid, p.poll)
        from ephemeral.chats c
        where c.code_hash = ${chatSecretHash('code', code)} and p.chat_id = c.id
          and p.token_hash = ${chatSecretHash('token', token)}
        returning p.chat_id, p.side)
      select chat_id as "chatId", side, case when ${poll}::uuid is not null then
        pg_notify(${CHAT_CHANNEL}, concat_ws(' ', 'poll', chat_id, side, ${poll}::uuid)) end
      from seen`;
    return seen ? { chatId: seen.chatId, side: seen.side } : null;
  }

  async look(code: string, side: ChatSide): Promise<ChatLook | null> {
    const { sql } = this;
    const [row] = await sql<(Row & { salt: Buffer | null; poll: string | null; messages: MessageRow[] })[]>`
      ${this.chats(sql`, c.salt, (
        select p.poll from ephemeral.participants p where p.chat_id = c.id and p.side = ${side}) as poll, coalesce((
        select jsonb_agg(jsonb_build_object('id', m.id, 'note', m.note, 'sealed', m.sealed) order by m.place)
        from ephemeral.messages m where m.chat_id = c.id and m.addressee = ${side}), '[]') as messages`)}
      where c.code_hash = ${chatSecretHash('code', code)}`;
    if (!row) return null;
    const key = row.salt && chatKey(code, row.salt, await this.key());
    const messages = row.messages.flatMap((message) => opened(message, row.id, key));
    return { chat: toChat(row), messages, poll: row.poll };
  }

  async apply(
    chat: KeptChat,
    change: ChatChange,
    at: Date,
    { code, joinerToken }: { code?: string; joinerToken?: string } = {},
  ): Promise<boolean> {
    const { sql } = this;
    const { status, because, eraseFirst } = change;
    const key = change.texts.length > 0 ? await this.keyOf(chat, code) : null;
    if (change.texts.length > 0 && !key) return false;
    const joiner = joinerToken === undefined ? null : chatSecretHash('token', joinerToken);
    const applied = await sql`
      with chat as (
        update ephemeral.chats set version = version + 1, status = ${status},
          ready_at = case when ${because === 'joined'} then ${at} else ready_at end,
          closed_at = case when ${status === 'closed'} then coalesce(closed_at, ${at}) else closed_at end,
          salt = case when ${eraseFirst} then null else salt end
        where id = ${chat.id} and version = ${chat.version}
        returning id),
      joiner as (
        insert into ephemeral.participants (chat_id, side, token_hash, seen_at)
        select id, 'joiner', ${joiner}::text, ${at} from chat where ${joiner}::text is not null),
      erased as (
        delete from ephemeral.messages m using chat where m.chat_id = chat.id and ${eraseFirst}),
      ${this.addingMessages(this.rowsOf(change, chat.id, key))},
      ${this.counting(change, at)}
      select pg_notify(${CHAT_CHANNEL}, 'change ' || id) from chat`;
    if (eraseFirst) this.traces = true;
    return applied.count > 0;
  }

  async confirm(chatId: string, side: ChatSide, ids: readonly string[]): Promise<void> {
    const { count } = await this.sql`
      delete from ephemeral.messages
      where id = any(${[...ids]}::text[]) and chat_id = ${chatId} and addressee = ${side}`;
    if (count > 0) this.traces = true;
  }

  // Maintenance ---------------------------------------------------------------------------------------------------------

  async openedBefore(at: Date): Promise<KeptChat[]> {
    const rows = await this.sql<Row[]>`
      ${this.chats()} where c.closed_at is null and c.opened_at <= ${at} order by c.opened_at limit ${BATCH}`;
    return rows.map(toChat);
  }

  async readyAndSilent(since: Date): Promise<KeptChat[]> {
    const rows = await this.sql<Row[]>`
      ${this.chats()} where c.status = 'ready' and not exists (
        select from ephemeral.participants p where p.chat_id = c.id and p.seen_at >= ${since}) limit ${BATCH}`;
    return rows.map(toChat);
  }

  async list(most: number): Promise<KeptChat[]> {
    const rows = await this.sql<Row[]>`${this.chats()} order by c.opened_at limit ${most}`;
    return rows.map(toChat);
  }

  async eraseClosedBefore(at: Date): Promise<number> {
    const [{ chats, texts } = { chats: 0, texts: 0 }] = await this.sql<{ chats: number; texts: number }[]>`
      with ended as (
        update ephemeral.chats set salt = null where closed_at <= ${at} and salt is not null returning id),
      erased as (
        delete from ephemeral.messages m using ended where m.chat_id = ended.id and m.sealed is not null returning m.id)
      select (select count(*)::int from ended) as chats, (select count(*)::int from erased) as texts`;
    if (chats > 0) this.traces = true;
    return texts;
  }

  async deleteClosedBefore(at: Date): Promise<number> {
    const { count } = await this.sql`delete from ephemeral.chats where closed_at <= ${at}`;
    if (count > 0) this.traces = true;
    return count;
  }

  async removeTraces(): Promise<void> {
    const now = performance.now();
    if (!this.traces && now - this.vacuumedAt < VACUUM_EVERY_MS) return;
    // Reset first: what is deleted meanwhile is left for the next time.
    this.traces = false;
    try {
      // If another replica is vacuuming, it does so for us.
      await this.sql.unsafe('vacuum (skip_locked) ephemeral.messages, ephemeral.chats, ephemeral.participants');
      this.vacuumedAt = now;
    } catch (error) {
      this.traces = true;
      throw error;
    }
  }

  async counts(): Promise<ChatCounts> {
    const [row] = await this.sql<ChatCounts[]>`
      select count(*) filter (where status = 'draft')::int as draft, count(*) filter (where status = 'ready')::int as ready,
        count(*) filter (where status = 'closed')::int as closed,
        (select count(*)::int from ephemeral.messages where sealed is not null) as texts
      from ephemeral.chats`;
    return row ?? { draft: 0, ready: 0, closed: 0, texts: 0 };
  }

  async statistics(days: number): Promise<CountedTurn[]> {
    return this.sql<CountedTurn[]>`
      select day::text as day, turn, chats from desk.ephemeral_chats
      where day > (select max(day) from desk.ephemeral_chats) - ${days}::int order by day, turn`;
  }

  // Parts of statements -------------------------------------------------------------------------------------------------

  private chats(more = this.sql``) {
    return this.sql`
      select c.id, c.version, c.status, c.opened_at, c.ready_at, c.closed_at, (
        select jsonb_object_agg(p.side, extract(epoch from p.seen_at) * 1000)
        from ephemeral.participants p where p.chat_id = c.id) as seen ${more}
      from ephemeral.chats c`;
  }

  /** Adds messages to `chat`, in their order. */
  private addingMessages(rows: readonly MessageRow[]) {
    const column = (read: (row: MessageRow) => string | null) => rows.map((row) => read(row) ?? '');
    return this.sql`
      notesToAdd as (
        insert into ephemeral.messages (id, chat_id, addressee, note, sealed)
        select m.id, chat.id, m.addressee, nullif(m.note, ''), nullif(m.sealed, '')
        from chat, unnest(
          ${column(({ id }) => id)}::text[], ${column(({ addressee = '' }) => addressee)}::text[],
          ${column(({ note }) => note)}::text[], ${column(({ sealed }) => sealed)}::text[])
          with ordinality as m (id, addressee, note, sealed, nr)
        order by m.nr)`;
  }

  private counting({ because }: ChatChange, at: Date) {
    return this.sql`
      counted as (
        insert into desk.ephemeral_chats as known (day, turn, chats)
        select ${at.toISOString().slice(0, 10)}::date, ${because}::text, 1 from chat where ${because}::text is not null
        on conflict (day, turn) do update set chats = known.chats + 1)`;
  }

  private rowsOf({ notes, texts }: ChatChange, chatId: string, key: Buffer | null): MessageRow[] {
    const notesToAdd = notes.map(({ to, note }) => ({ id: newChatSecret(), addressee: to, note, sealed: null }));
    const textsToAdd = texts.map(({ to, text }) => {
      const id = newChatSecret();
      return { id, addressee: to, note: null, sealed: key && sealText(text, key, placeOf(chatId, id)) };
    });
    return [...notesToAdd, ...textsToAdd];
  }

  /** Null if the chat has lost its salt. */
  private async keyOf({ id }: KeptChat, code = ''): Promise<Buffer | null> {
    const [row] = await this.sql<{ salt: Buffer | null }[]>`select salt from ephemeral.chats where id = ${id}`;
    return row?.salt ? chatKey(code, row.salt, await this.key()) : null;
  }

  private async key(): Promise<Buffer> {
    const key = (await this.keys.obtain([CHATS_KEY])).get(CHATS_KEY);
    if (!key) throw new Error('The key of the chats is missing from the vault.');
    return key;
  }
}

interface Row {
  readonly id: string;
  readonly version: number;
  readonly status: ChatStatus;
  readonly opened_at: Date;
  readonly ready_at: Date | null;
  readonly closed_at: Date | null;
  readonly seen: EphemeralChat['seenAt'] | null;
}

interface MessageRow {
  readonly id: string;
  readonly addressee?: ChatSide;
  readonly note: ChatNote | null;
  readonly sealed: string | null;
}

const toChat = ({ id, version, status, opened_at, ready_at, closed_at, seen }: Row): KeptChat => ({
  id,
  version,
  state: {
    status,
    openedAt: opened_at.getTime(),
    readyAt: ready_at?.getTime() ?? null,
    closedAt: closed_at?.getTime() ?? null,
    seenAt: seen ?? {},
  },
});

/** A sealed text opens only for its own message. */
const placeOf = (chatId: string, messageId: string): string => `${chatId} ${messageId}`;

function opened({ id, note, sealed }: MessageRow, chatId: string, key: Buffer | null): WaitingMessage[] {
  if (note !== null) return [{ id, note }];
  const text = key && sealed !== null ? openText(sealed, key, placeOf(chatId, id)) : null;
  return text === null ? [] : [{ id, text }];
}
