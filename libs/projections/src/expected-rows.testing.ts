import { contentFingerprint, happenedAt, nameKey, parseStream, type Recorded } from '@verbatim/domain';
import type { Sql } from './projection.js';

type Row = Record<string, unknown>;
/** Rows by table, each in the order of its key. */
export type Tables = Record<
  'people' | 'rooms' | 'members' | 'messages' | 'posters' | 'reactions' | 'search' | 'restraints' | 'reports' | 'days',
  Row[]
>;

/** What the read models of a log should hold, found in the simplest way there is: one event after the other, in memory. */
export function expectedRows(events: readonly Recorded[]): Tables {
  const people = new Map<string, Row>();
  const rooms = new Map<string, Row>();
  const members = new Map<string, Row>();
  const messages = new Map<string, Row>();
  const posters = new Map<string, Row>();
  const reactions = new Map<string, Row>();
  const search = new Map<string, Row>();
  const restraints = new Map<string, Row>();
  const reports = new Map<string, Row>();
  const days = new Map<string, Row>();

  for (const event of events) {
    const { category, id } = parseStream(event.stream);
    const revision = Number(event.revision);
    const position = Number(event.position);
    const time = happenedAt(event);
    const room = category === 'room' ? rooms.get(id) : undefined;
    if (room) room.revision = revision;
    const counter = counters[event.type];
    if (counter) {
      const day = time.slice(0, 10);
      const row = days.get(day) ?? { day, people: 0, rooms: 0, closed: 0, messages: 0 };
      days.set(day, { ...row, [counter]: Number(row[counter]) + 1 });
    }

    switch (event.type) {
      case 'UserRegistered': {
        const { username, displayName, email, role, origin } = event.data;
        const names = {
          username,
          username_key: nameKey(username),
          display_name: displayName,
          display_key: displayName && nameKey(displayName),
        };
        const standing = { suspended: false, deactivated: false, bot: origin === 'bot', second_factor: false };
        people.set(id, {
          id,
          ...names,
          email,
          role,
          ...standing,
          created_at: time,
          signed_in_at: null,
          locked_out_at: null,
        });
        break;
      }
      case 'TotpEnabled':
      case 'TotpDisabled':
        Object.assign(people.get(id) ?? {}, { second_factor: event.type === 'TotpEnabled' });
        break;
      case 'SessionStarted':
        Object.assign(people.get(id) ?? {}, { signed_in_at: time, locked_out_at: null });
        break;
      case 'SignInLockedOut':
        Object.assign(people.get(id) ?? {}, { locked_out_at: time });
        break;
      case 'UserChanged': {
        const { displayName } = event.data;
        Object.assign(people.get(id) ?? {}, {
          display_name: displayName,
          display_key: displayName && nameKey(displayName),
        });
        break;
      }
      case 'UserRoleChanged':
        Object.assign(people.get(id) ?? {}, { role: event.data.role });
        break;
      case 'UserSuspended':
        Object.assign(people.get(id) ?? {}, { suspended: true });
        break;
      case 'UserReinstated':
        Object.assign(people.get(id) ?? {}, { suspended: false });
        break;
      case 'UserDeactivated':
      case 'UserReactivated':
        Object.assign(people.get(id) ?? {}, { deactivated: event.type === 'UserDeactivated' });
        break;
      case 'RoomCreated': {
        const { name, topic, visibility, history, passwordId } = event.data;
        const settings = {
          name,
          name_key: name === null ? null : nameKey(name),
          topic,
          visibility,
          history,
          password_id: passwordId,
          slow_mode_seconds: 0,
        };
        const counts = {
          member_count: 0,
          message_count: 0,
          last_message: null,
          active_at: time,
          active_position: position,
        };
        const creation = { status: 'open', created_by: event.actor, created_at: time, created_position: position };
        const closing = { closed_at: null, closed_by: null, close_reason: null };
        rooms.set(id, { id, ...settings, ...creation, revision, ...counts, ...closing });
        break;
      }
      case 'RoomChanged': {
        const { name, topic, visibility, history, passwordId, slowModeSeconds } = event.data;
        if (!room) break;
        if (name !== undefined) Object.assign(room, { name, name_key: name === null ? null : nameKey(name) });
        if (topic !== undefined) room.topic = topic;
        if (visibility !== undefined) room.visibility = visibility;
        if (history !== undefined) room.history = history;
        if (passwordId !== undefined) room.password_id = passwordId;
        if (slowModeSeconds !== undefined) room.slow_mode_seconds = slowModeSeconds;
        break;
      }
      case 'ChatClosed':
        if (room)
          Object.assign(room, {
            status: 'closed',
            closed_at: time,
            closed_by: event.actor,
            close_reason: event.data.reason,
          });
        break;
      case 'MemberJoined': {
        const { userId, role } = event.data;
        const joining = { joined_at: time, joined_revision: revision, last_posted: -1 };
        members.set(`${id} ${userId}`, { room_id: id, user_id: userId, role, ...joining });
        if (room) room.member_count = (room.member_count as number) + 1;
        break;
      }
      case 'MemberLeft':
      case 'MemberRemoved':
        members.delete(`${id} ${event.data.userId}`);
        if (room) room.member_count = (room.member_count as number) - 1;
        break;
      case 'MemberRoleChanged':
        Object.assign(members.get(`${id} ${event.data.userId}`) ?? {}, { role: event.data.role });
        break;
      case 'MessagePosted': {
        const { messageId, text, replyTo, kind } = event.data;
        if (room)
          Object.assign(room, {
            message_count: (room.message_count as number) + 1,
            last_message: revision,
            active_at: time,
            active_position: position,
          });
        Object.assign(members.get(`${id} ${event.actor}`) ?? {}, { last_posted: revision });
        const key = { room_id: id, message_id: messageId, revision, position, posted_at: time };
        const later = { edited_at: null, redacted_at: null, text_revision: revision };
        const fingerprint = text === null ? null : contentFingerprint(event.data);
        const ordinal = room?.message_count;
        messages.set(`${id} ${messageId}`, {
          ...key,
          ordinal,
          author_id: event.actor,
          kind,
          text,
          reply_to: replyTo,
          ...later,
          fingerprint,
        });
        const posted = Number(posters.get(`${event.actor}`)?.messages ?? 0) + 1;
        posters.set(`${event.actor}`, { user_id: event.actor, messages: posted });
        search.set(`${id} ${messageId}`, { ...key, words: text ?? '' });
        break;
      }
      case 'MessageEdited': {
        const { messageId, text } = event.data;
        Object.assign(messages.get(`${id} ${messageId}`) ?? {}, { text, edited_at: time, text_revision: revision });
        Object.assign(search.get(`${id} ${messageId}`) ?? {}, { words: text ?? '' });
        break;
      }
      case 'MessageRedacted': {
        const { messageId } = event.data;
        Object.assign(messages.get(`${id} ${messageId}`) ?? {}, { text: null, redacted_at: time, fingerprint: null });
        search.delete(`${id} ${messageId}`);
        break;
      }
      case 'ReactionAdded': {
        const { messageId, emoji } = event.data;
        reactions.set(`${id} ${messageId} ${emoji} ${event.actor}`, {
          room_id: id,
          message_id: messageId,
          emoji,
          user_id: event.actor,
          revision,
        });
        break;
      }
      case 'MemberBanned':
      case 'MemberMuted': {
        const { userId, until, reason } = event.data;
        const kind = event.type === 'MemberBanned' ? 'ban' : 'mute';
        const setting = { until, reason, by_id: event.actor, set_at: time, revision };
        restraints.set(`${id} ${kind} ${userId}`, { room_id: id, kind, user_id: userId, ...setting });
        break;
      }
      case 'MemberUnbanned':
        restraints.delete(`${id} ban ${event.data.userId}`);
        break;
      case 'MemberUnmuted':
        restraints.delete(`${id} mute ${event.data.userId}`);
        break;
      case 'MessageReported': {
        const { reportId, messageId, reason } = event.data;
        const made = { message_id: messageId, reporter_id: event.actor, reason, reported_at: time, position };
        const open = { settled: false, settled_by: null, settled_at: null, outcome: null, note: null };
        reports.set(`${id} ${reportId}`, { id: reportId, room_id: id, ...made, ...open });
        break;
      }
      case 'ReportSettled': {
        const { reportId, outcome, note } = event.data;
        const done = { settled: true, settled_by: event.actor, settled_at: time, outcome, note };
        Object.assign(reports.get(`${id} ${reportId}`) ?? {}, done);
        break;
      }
      case 'ReactionRemoved':
        reactions.delete(`${id} ${event.data.messageId} ${event.data.emoji} ${event.actor}`);
        break;
    }
  }
  return {
    people: sorted(people.values()),
    rooms: sorted(rooms.values()),
    members: sorted(members.values()),
    messages: sorted(messages.values()),
    posters: sorted(posters.values()),
    reactions: sorted(reactions.values()),
    search: sorted(search.values()),
    restraints: sorted(restraints.values()),
    reports: sorted(reports.values()),
    days: sorted(days.values()),
  };
}

const counters: Readonly<Record<string, string>> = {
  UserRegistered: 'people',
  RoomCreated: 'rooms',
  ChatClosed: 'closed',
  MessagePosted: 'messages',
};

/** The rows that a schema holds, in the same form; the words of `expected` become what PostgreSQL makes of them. */
export async function actualRows(sql: Sql, schema: string): Promise<Tables> {
  const tables = {} as Tables;
  const others = ['posters', 'reactions', 'search', 'restraints', 'reports', 'days'] as const;
  const names = ['people', 'rooms', 'members', 'messages', ...others] as const;
  for (const name of names) {
    const rows = await sql<{ row: Row }[]>`SELECT to_jsonb(t) AS row FROM ${sql(schema)}.${sql(name)} t`;
    tables[name] = sorted(rows.map(({ row }) => withTimes(row)));
  }
  return tables;
}

/** `expectedRows` with the words of messages as PostgreSQL splits them. */
export async function expectedTables(sql: Sql, events: readonly Recorded[]): Promise<Tables> {
  const tables = expectedRows(events);
  const texts = tables.search.map(({ words }) => words as string);
  const rows = await sql<
    { words: string }[]
  >`SELECT to_tsvector('simple', t) AS words FROM unnest(${texts}::text[]) AS t`;
  return { ...tables, search: tables.search.map((row, i) => ({ ...row, words: rows[i]?.words })) };
}

const withTimes = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      (name.endsWith('_at') || name === 'until') && value ? new Date(value as string).toISOString() : value,
    ]),
  );

const sorted = (rows: Iterable<Row>): Row[] => {
  const key = ({ id, room_id, message_id, emoji, kind, user_id, day }: Row) =>
    [id, room_id, message_id, emoji, kind, user_id, day].join('|');
  return [...rows].sort((a, b) => (key(a) < key(b) ? -1 : 1));
};
