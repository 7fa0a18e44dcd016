import {
  contentFingerprint,
  emailKey,
  happenedAt,
  nameKey,
  parseStream,
  type Recorded,
  reactionOf,
  searchText,
  sourceAtRegistration,
} from '@verbatim/domain';
import { nameWords } from './name-search.js';
import type { Sql } from './projection.js';

type Row = Record<string, unknown>;
/** Rows by table, each in the order of its key. */
export type Tables = Record<
  | 'people'
  | 'rooms'
  | 'members'
  | 'left_members'
  | 'messages'
  | 'posters'
  | 'reactions'
  | 'reaction_counts'
  | 'search'
  | 'restraints'
  | 'reports'
  | 'days'
  | 'webhook_bots'
  | 'overseers'
  | 'audit_trail'
  | 'tenures'
  | 'setting_changes'
  | 'text_changes',
  Row[]
>;

/** What the read models of a log should hold, found in the simplest way there is: one event after the other, in memory. */
export function expectedRows(events: readonly Recorded[]): Tables {
  const people = new Map<string, Row>();
  const rooms = new Map<string, Row>();
  const members = new Map<string, Row>();
  const leftMembers = new Map<string, Row>();
  const messages = new Map<string, Row>();
  const posters = new Map<string, Row>();
  const reactions = new Map<string, Row>();
  /** The revision at which each emoji was first used for a message. */
  const firsts = new Map<string, Row & { first: number }>();
  const search = new Map<string, Row>();
  const restraints = new Map<string, Row>();
  const reports = new Map<string, Row>();
  const days = new Map<string, Row>();
  const webhookBots = new Map<string, Row>();
  const overseers: Row[] = [];
  const auditTrail: Row[] = [];
  const tenures: (Row & { since: number; until: number | null })[] = [];
  const settingChanges: Row[] = [];
  const textChanges: Row[] = [];
  const tenureOf = (room: string, user: string) =>
    tenures.find(({ room_id, user_id, until }) => room_id === room && user_id === user && until === null);

  for (const event of events) {
    const { category, id } = parseStream(event.stream);
    const revision = Number(event.revision);
    const position = Number(event.position);
    const time = happenedAt(event);
    const room = category === 'room' ? rooms.get(id) : undefined;
    if (room) room.revision = revision;
    if (people.get(`${event.actor}`)?.role !== 'user') auditTrail.push(...auditRow(event, id, people));
    if (event.type === 'UserRoleChanged' || (event.type === 'UserRegistered' && event.data.role !== 'user'))
      overseers.push({ user_id: id, position, overseeing: event.data.role !== 'user' });
    for (const setting of settingsIn(event)) settingChanges.push({ room_id: id, setting, revision });
    if (event.type === 'MessageEdited' || event.type === 'MessageRedacted') {
      const redacted = event.type === 'MessageRedacted';
      textChanges.push({ room_id: id, message_id: event.data.messageId, redacted, revision });
    }
    if (/^Member(Joined|Left|Removed|RoleChanged)$/.test(event.type)) {
      const { userId, role } = event.data as { userId: string; role?: string };
      const before = tenureOf(id, userId);
      if (before) Object.assign(before, { until: revision, fork: middle(before.since, revision - 1) });
      const joined = event.type === 'MemberJoined' ? { joined_at: time, joined_revision: revision } : before;
      if (role !== undefined && joined) {
        const { joined_at, joined_revision } = joined;
        const place = { room_id: id, user_id: userId, since: revision, until: null, fork: null };
        tenures.push({ ...place, role, joined_at, joined_revision });
      }
    }
    const counter = counters[event.type];
    if (counter && !(event.type === 'UserRegistered' && event.data.origin === 'webhook')) {
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
          display_words: nameWords(displayName),
        };
        const webhook = origin === 'webhook';
        const guest = origin === 'guest';
        const bot = webhook || origin === 'bot';
        const standing = { suspended: false, deactivated: false, bot, webhook, guest, second_factor: false };
        const address = { email, email_key: email && emailKey(email), email_source: sourceAtRegistration(origin) };
        const times = { created_at: time, signed_in_at: null, locked_out_at: null };
        people.set(id, { id, ...names, ...address, role, ...standing, ...times });
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
          display_words: nameWords(displayName),
        });
        break;
      }
      case 'UserEmailChanged': {
        const { email, how } = event.data;
        const email_source = how === 'claimed' ? 'person' : how;
        Object.assign(people.get(id) ?? {}, { email, email_key: email && emailKey(email), email_source });
        break;
      }
      case 'IdentityLinked': {
        const person = people.get(id);
        if (person?.email_source === 'person') person.email_source = 'provider';
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
          name_words: nameWords(name),
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
        if (name !== undefined)
          Object.assign(room, { name, name_key: name === null ? null : nameKey(name), name_words: nameWords(name) });
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
        for (const bot of webhookBots.values()) if (bot.room_id === id) bot.gone = true;
        break;
      case 'MemberJoined': {
        const { userId, role } = event.data;
        const key = `${id} ${userId}`;
        const { read_through } = members.get(key) ?? leftMembers.get(key) ?? { read_through: revision };
        const joining = { joined_at: time, joined_revision: revision, read_through };
        members.set(key, { room_id: id, user_id: userId, role, ...joining });
        leftMembers.delete(key);
        if (room) room.member_count = (room.member_count as number) + 1;
        break;
      }
      case 'MemberLeft':
      case 'MemberRemoved': {
        const key = `${id} ${event.data.userId}`;
        const { read_through } = members.get(key) ?? leftMembers.get(key) ?? { read_through: -1 };
        leftMembers.set(key, { room_id: id, user_id: event.data.userId, read_through });
        members.delete(key);
        if (room) room.member_count = (room.member_count as number) - 1;
        break;
      }
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
        Object.assign(members.get(`${id} ${event.actor}`) ?? {}, { read_through: revision });
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
          text_bytes: null,
          reply_to: replyTo,
          ...later,
          fingerprint,
        });
        const posted = Number(posters.get(`${event.actor}`)?.messages ?? 0) + 1;
        posters.set(`${event.actor}`, { user_id: event.actor, messages: posted });
        search.set(`${id} ${messageId}`, { ...key, words: text === null ? '' : searchText(text) });
        break;
      }
      case 'MessageEdited': {
        const { messageId, text } = event.data;
        Object.assign(messages.get(`${id} ${messageId}`) ?? {}, { text, edited_at: time, text_revision: revision });
        Object.assign(search.get(`${id} ${messageId}`) ?? {}, { words: text === null ? '' : searchText(text) });
        break;
      }
      case 'MessageRedacted': {
        const { messageId } = event.data;
        Object.assign(messages.get(`${id} ${messageId}`) ?? {}, { text: null, redacted_at: time, fingerprint: null });
        search.delete(`${id} ${messageId}`);
        break;
      }
      case 'ReactionAdded': {
        const of = { room_id: id, message_id: event.data.messageId, emoji: reactionOf(event.data.emoji) };
        reactions.set(`${id} ${of.message_id} ${of.emoji} ${event.actor}`, { ...of, user_id: event.actor });
        const kind = `${id} ${of.message_id} ${of.emoji}`;
        firsts.set(kind, firsts.get(kind) ?? { ...of, first: revision });
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
      case 'IncomingWebhookAdded': {
        const { botId, webhookId } = event.data;
        webhookBots.set(webhookId, { bot_id: botId, webhook_id: webhookId, room_id: id, gone: false });
        break;
      }
      case 'IncomingWebhookRemoved':
        Object.assign(webhookBots.get(event.data.webhookId) ?? {}, { gone: true });
        break;
      case 'ReactionRemoved':
        reactions.delete(`${id} ${event.data.messageId} ${reactionOf(event.data.emoji)} ${event.actor}`);
        break;
    }
  }
  return {
    people: sorted(people.values()),
    rooms: sorted(rooms.values()),
    members: sorted(members.values()),
    left_members: sorted(leftMembers.values()),
    messages: sorted(messages.values()),
    posters: sorted(posters.values()),
    reactions: sorted(reactions.values()),
    reaction_counts: sorted([...firsts].map(([kind, row]) => ({ ...row, count: countOf(kind, reactions) }))),
    search: sorted(search.values()),
    restraints: sorted(restraints.values()),
    reports: sorted(reports.values()),
    days: sorted(days.values()),
    webhook_bots: sorted(webhookBots.values()),
    overseers: sorted(overseers),
    audit_trail: sorted(auditTrail),
    tenures: sorted(tenures),
    setting_changes: sorted(settingChanges),
    text_changes: sorted(textChanges),
  };
}

function settingsIn({ type, data }: Recorded): string[] {
  if (type === 'RoomCreated') return ['existence', 'name', 'topic', 'visibility', 'history', 'passwordId'];
  if (type === 'ChatClosed') return ['closing'];
  const settings = ['name', 'topic', 'visibility', 'history', 'passwordId', 'slowModeSeconds'];
  if (type !== 'RoomChanged') return [];
  const erased = data.name === null ? ['name', 'topic', 'passwordId'] : [];
  return settings.filter((setting) => setting in data && !erased.includes(setting));
}

/** The middle of the smallest block of revisions, one of 2, 4, 8, and so on, laid end to end, in which both of these are. */
function middle(first: number, last: number): number {
  if (first === last) return first;
  for (let size = 2; ; size *= 2)
    if (Math.floor(first / size) === Math.floor(last / size)) return Math.floor(first / size) * size + size / 2;
}

/** What people do as members and with their own account. */
const quiet = new Set([
  ...['RoomAbandoned', 'RoomNameAbandoned', 'MemberLeft', 'MessagePosted', 'MessageEdited', 'ReactionAdded'],
  ...['ReactionRemoved', 'MessageReported', 'UserAbandoned', 'SessionStarted', 'RecoveryCodesIssued'],
  ...['RecoveryCodeUsed', 'IdentityLinked', 'SignInLockedOut', 'InvitationRedeemed', 'PollStarted'],
]);
/** What counts although it is about the actor. */
const alwaysTold = ['UserRegistered', 'UserRoleChanged', 'UserSuspended', 'UserReinstated', 'UserDeactivated'];

function auditRow(event: Recorded, id: string, people: ReadonlyMap<string, Row>): Row[] {
  const { type, actor, at, correlation } = event;
  if (actor === null || !people.has(actor) || quiet.has(type)) return [];
  const data = event.data as Record<string, unknown>;
  const { category } = parseStream(event.stream);
  const about = category === 'user' ? id : (data.userId ?? data.authorId);
  if (about === actor && ['MemberJoined', 'MessageRedacted'].includes(type)) return [];
  if (about === actor && category === 'user' && ![...alwaysTold, 'UserReactivated'].includes(type)) return [];
  const [kind, target] =
    data.userId !== undefined || category === 'user'
      ? ['user', about]
      : data.reportId !== undefined
        ? ['report', data.reportId]
        : data.webhookId !== undefined
          ? ['webhook', data.webhookId]
          : data.messageId !== undefined
            ? ['message', data.messageId]
            : ['room', id];
  const settings = Object.keys(data).map((field) => (field === 'passwordId' ? 'password' : field));
  const changed = type === 'RoomChanged' ? settings.sort().join(', ') : null;
  const given = ['MemberJoined', 'MemberRoleChanged', 'UserRegistered', 'UserRoleChanged'].includes(type);
  return [
    {
      position: Number(event.position),
      event_id: event.id,
      at,
      actor_id: actor,
      action: type,
      detail: changed ?? data.what ?? data.outcome ?? (given ? data.role : null),
      target_kind: kind,
      target_id: target,
      room_id: category === 'room' ? id : null,
      reason: data.reason ?? data.note ?? null,
      trace_id: correlation,
    },
  ];
}

const countOf = (kind: string, reactions: ReadonlyMap<string, Row>): number =>
  [...reactions.keys()].filter((key) => key.startsWith(`${kind} `)).length;

const counters: Readonly<Record<string, string>> = {
  UserRegistered: 'people',
  RoomCreated: 'rooms',
  ChatClosed: 'closed',
  MessagePosted: 'messages',
};

/** The rows that a schema holds, in the same form. */
export async function actualRows(sql: Sql, schema: string): Promise<Tables> {
  const tables = {} as Tables;
  const others = [
    'posters',
    'reactions',
    'reaction_counts',
    'search',
    'restraints',
    'reports',
    'days',
    'webhook_bots',
    'overseers',
    'audit_trail',
    'tenures',
    'setting_changes',
    'text_changes',
  ] as const;
  const names = ['people', 'rooms', 'members', 'left_members', 'messages', ...others] as const;
  for (const name of names) {
    const rows = await sql<{ row: Row }[]>`SELECT to_jsonb(t) AS row FROM ${sql(schema)}.${sql(name)} t`;
    tables[name] = sorted(rows.map(({ row }) => withTimes(row)));
  }
  return tables;
}

const withTimes = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      (name.endsWith('_at') || name === 'until' || name === 'at') && typeof value === 'string'
        ? new Date(value).toISOString()
        : value,
    ]),
  );

const sorted = (rows: Iterable<Row>): Row[] => {
  const key = (row: Row) =>
    [row.id, row.room_id, row.message_id, row.emoji, row.kind, row.user_id, row.day, row.bot_id, row.position]
      .concat([row.since, row.setting, row.redacted, row.room_id && !row.message_id ? row.revision : null])
      .join('|');
  return [...rows].sort((a, b) => (key(a) < key(b) ? -1 : 1));
};
