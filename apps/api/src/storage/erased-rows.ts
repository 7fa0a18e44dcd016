import type { ErasureScope } from '@verbatim/domain';
import type { Snapshots } from '@verbatim/event-store';
import type { Sql } from 'postgres';

/** Actions whose reason is in the register of erasures, not in the room concerned. */
const IN_THE_REGISTER = [
  'ErasureRequested',
  'HoldPlaced',
  'ExportRequested',
  'RetentionRuleSet',
  'RetentionRuleRemoved',
];

/**
 * Deletes what tables outside the log hold of a scope: texts and names in all read models, including those being rebuilt,
 * stored responses to repeated requests, snapshots, and rows kept for one person or room. Idempotent.
 */
export class ErasedRows {
  constructor(
    private readonly sql: Sql,
    private readonly snapshots: Snapshots,
  ) {}

  async erase(scope: ErasureScope): Promise<void> {
    const schemas = await this.sql<{ name: string }[]>`
      select nspname as name from pg_namespace where nspname ~ '^read_[0-9]+$'`;
    for (const { name } of schemas)
      await this.eraseFrom(name, scope).catch(async (error) => {
        // A replaced schema may be dropped at any time, along with its rows.
        if (await this.exists(name)) throw error;
      });
    if (scope.kind === 'person') await this.deleteKeptFor('user_id', scope.userId);
    if (scope.kind !== 'room') return;
    await this.deleteKeptFor('room_id', scope.roomId);
    await this.sql`delete from vault.names where kind = 'room' and owner::text = ${scope.roomId}`;
  }

  /** Deletes snapshots of streams and stored responses of people, which may quote erased content. */
  async forgetCopies(streams: readonly string[], people: readonly string[]): Promise<void> {
    await this.snapshots.erase(streams);
    await this.sql`delete from desk.idempotency where user_id::text = any(${[...people]}::text[])`;
  }

  private async eraseFrom(schema: string, scope: ErasureScope): Promise<void> {
    const { sql } = this;
    const table = (name: string) => sql`${sql(schema)}.${sql(name)}`;
    const { texts, firstTexts = texts, reasons, actions } = this.conditions(scope);
    await sql`
      update ${table('search')} s set words = '' from ${table('messages')} m
      where s.room_id = m.room_id and s.message_id = m.message_id and ${texts} and s.words <> ''`;
    await sql`update ${table('messages')} m set text = null where ${texts} and m.text is not null`;
    await sql`update ${table('messages')} m set fingerprint = null where ${firstTexts} and m.fingerprint is not null`;
    // Where texts are not in the rows, this column says that the log has one. Read models of an older release lack it.
    if (await this.has(schema, 'messages', 'text_bytes'))
      await sql`update ${table('messages')} m set text_bytes = null where ${texts} and m.text_bytes is not null`;
    if (scope.kind === 'message') return;
    await sql`update ${table('reports')} r set reason = null where ${reasons('reporter_id', 'reported_at')}`;
    await sql`update ${table('reports')} r set note = null where ${reasons('settled_by', 'settled_at')}`;
    await sql`update ${table('restraints')} r set reason = null where ${reasons('by_id', 'set_at')}`;
    // Read models of an older release may not have this table.
    const [trail] = await sql`select where to_regclass(${`${schema}.audit_trail`}) is not null`;
    if (trail)
      await sql`
      update ${table('audit_trail')} r set reason = null
      where ${reasons('actor_id', 'at')} and (${actions} or r.action <> all(${IN_THE_REGISTER}::text[]))`;
    if (scope.kind === 'person') {
      if (trail)
        await sql`
          update ${table('audit_trail')} set reason = null where target_id = ${scope.userId} and action = 'UserSuspended'`;
      await sql`
        update ${table('people')} set display_name = null, display_words = null, email = null, email_key = null
        where id = ${scope.userId}`;
      await sql`update ${table('rooms')} set close_reason = null where closed_by = ${scope.userId}`;
    }
    if (scope.kind === 'days')
      await sql`update ${table('rooms')} r set close_reason = null where r.id = ${scope.roomId} and ${this.day('r.closed_at', scope)}`;
    if (scope.kind === 'room' && (await this.has(schema, 'setting_changes', 'setting')))
      await sql`
        delete from ${table('setting_changes')}
        where room_id = ${scope.roomId} and setting in ('name', 'topic', 'passwordId') and revision > 0`;
    if (scope.kind === 'room')
      await sql`
        update ${table('rooms')} set name = null, name_key = null, name_words = null, topic = null, close_reason = null
        where id = ${scope.roomId}`;
  }

  private async has(schema: string, table: string, column: string): Promise<boolean> {
    const found = await this.sql`
      select from information_schema.columns
      where table_schema = ${schema} and table_name = ${table} and column_name = ${column}`;
    return found.length > 0;
  }

  private async exists(schema: string): Promise<boolean> {
    return (await this.sql`select from pg_namespace where nspname = ${schema}`).length > 0;
  }

  private conditions(scope: ErasureScope) {
    const { sql } = this;
    switch (scope.kind) {
      case 'person':
        return {
          texts: sql`m.author_id = ${scope.userId}`,
          reasons: (by: string, _: string) => sql`r.${sql(by)} = ${scope.userId}`,
          actions: sql`true`,
        };
      case 'room':
        return {
          texts: sql`m.room_id = ${scope.roomId}`,
          reasons: () => sql`r.room_id = ${scope.roomId}`,
          actions: sql`false`,
        };
      case 'message':
        return {
          texts: sql`m.room_id = ${scope.roomId} and m.message_id = ${scope.messageId}`,
          reasons: () => sql`false`,
          actions: sql`false`,
        };
      case 'days': {
        const { roomId } = scope;
        return {
          // An edit belongs to the day on which it was made, and so does the text since then.
          texts: sql`m.room_id = ${roomId} and ${this.day('coalesce(m.edited_at, m.posted_at)', scope)}`,
          firstTexts: sql`m.room_id = ${roomId} and ${this.day('m.posted_at', scope)}`,
          reasons: (_: string, at: string) => sql`r.room_id = ${roomId} and ${this.day(`r.${at}`, scope)}`,
          actions: sql`false`,
        };
      }
    }
  }

  /** Whether a time (an SQL expression) falls within a range of days in UTC. */
  private day(time: string, { from, to }: { readonly from: string; readonly to: string }) {
    return this.sql`(${this.sql.unsafe(time)} at time zone 'utc')::date between ${from}::date and ${to}::date`;
  }

  /** Deletes from every table of the vault and the desk that has this column. */
  private async deleteKeptFor(column: 'user_id' | 'room_id', id: string): Promise<void> {
    const tables = await this.sql<{ schema: string; name: string }[]>`
      select c.table_schema as schema, c.table_name as name from information_schema.columns c
      join information_schema.tables t using (table_schema, table_name)
      where c.table_schema in ('vault', 'desk') and c.column_name = ${column} and t.table_type = 'BASE TABLE'`;
    for (const { schema, name } of tables)
      await this.sql`delete from ${this.sql(schema)}.${this.sql(name)} where ${this.sql(column)}::text = ${id}`;
  }
}
