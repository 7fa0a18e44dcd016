import {
  type Actor,
  isRejection,
  type Recorded,
  type RoomCommand,
  type RoomRole,
  type RoomState,
  room,
  roomStream,
  type ServerRole,
  type UserCommand,
  type UserState,
  user,
  userStream,
  type Visibility,
} from '@verbatim/domain';
import fc from 'fast-check';
import { BEGINNING, Recorder } from './recorder.testing.js';

const PEOPLE = 5;
const ROOMS = 3;

/** What somebody tries to do. Much of it is refused, as it would be. */
export interface Step {
  readonly who: number;
  readonly room: number;
  readonly what: (typeof attempts)[number];
  /** Which of the others, of the messages, of the words. */
  readonly whom: number;
  readonly message: number;
  readonly words: number;
  /** The keys of what this step records are destroyed afterwards. */
  readonly erased: boolean;
  readonly imported: boolean;
}

// What happens often stands here more than once.
const attempts = [
  ...([
    'post',
    'post',
    'post',
    'post',
    'post',
    'edit',
    'edit',
    'redact',
    'react',
    'react',
    'unreact',
    'unreact',
  ] as const),
  ...(['join', 'join', 'leave', 'remove', 'add', 'give role', 'change room', 'close', 'something new'] as const),
  ...(['ban', 'unban', 'mute', 'unmute', 'slow mode', 'hand over', 'report', 'report', 'settle', 'inspect'] as const),
  ...(['hook', 'hook', 'unhook'] as const),
  ...(['change name', 'suspend', 'change server role', 'sign in', 'give address', 'confirm address', 'link'] as const),
] as const;

export const step: fc.Arbitrary<Step> = fc.record({
  who: fc.nat(PEOPLE - 1),
  room: fc.nat(ROOMS - 1),
  what: fc.constantFrom(...attempts),
  whom: fc.nat(PEOPLE - 1),
  message: fc.nat(3),
  words: fc.nat(99),
  erased: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  imported: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});

/** The log that these steps leave behind, decided by the rules of the domain. */
export function historyOf(steps: readonly Step[]): Recorded[] {
  const history = new History();
  history.begin();
  for (const one of steps) history.apply(one);
  return history.recorder.events;
}

/** A long history that is the same in every process. */
export const longHistory = (length: number): Recorded[] =>
  historyOf(fc.sample(step, { seed: 20_260_118, numRuns: length }));

const words = ['alpha', 'beta', 'gamma', 'delta', 'ÜBER', '"quoted"', 'back\\slash', 'emoji 👍🏽', '{brace},', 'NULL'];
const phrase = (n: number): string => `${words[n % 10]} ${words[Math.floor(n / 10) % 10]}`;
const emoji = ['👍', '🎉', '❤', '❤️', '👍\ufe0f'];
const roles: readonly RoomRole[] = ['owner', 'moderator', 'member', 'guest'];
const visibilities: readonly Exclude<Visibility, 'direct'>[] = ['public', 'private', 'hidden'];

class History {
  readonly recorder = new Recorder();
  private readonly rooms = new Map<string, RoomState>();
  private readonly users = new Map<string, UserState>();
  private bots = 0;
  /** Ids of the messages of each room, oldest first. */
  private readonly posted = new Map<string, string[]>();

  /** Everyone is registered, the first as administrator; there are a public room, a hidden one, and a direct one. */
  begin(): void {
    for (let i = 0; i < PEOPLE; i++) {
      const role: ServerRole = i === 0 ? 'admin' : i === 1 ? 'auditor' : 'user';
      const displayName = `Person ${i}`;
      const email = i % 2 ? `p${i}@example.org` : null;
      this.user(`u${i}`, {
        type: 'RegisterUser',
        actor: null,
        username: `Name_${i}`,
        displayName,
        email,
        role,
        origin: 'registration',
      });
    }
    const settings = { topic: 'Everything', passwordId: null };
    this.room('r0', {
      type: 'CreateRoom',
      actor: person(0),
      name: 'Lounge',
      visibility: 'public',
      history: 'full',
      ...settings,
    });
    this.room('r1', {
      type: 'CreateRoom',
      actor: person(2),
      name: 'Cellar',
      visibility: 'hidden',
      history: 'joined',
      ...settings,
    });
    this.room('r2', { type: 'CreateDirectRoom', actor: person(3), peerId: 'u4' });
    this.recorder.room('r9', 'u1', { type: 'RoomAbandoned', data: {} });
    this.recorder.user('u9', { type: 'UserAbandoned', data: {} });
  }

  apply(step: Step): void {
    if (step.what === 'something new') {
      this.recorder.record(roomStream(`r${step.room}`), `u${step.who}`, {
        type: 'PollStarted',
        data: { messageId: 'm0', text: null },
      });
      return;
    }
    if (step.what === 'hook') this.webhookBot();
    const command = userCommand(step);
    if (command) this.user(command.type === 'ChangeUser' ? command.userId : `u${step.who}`, command, step);
    else {
      if (step.what === 'post') this.room(`r${step.room}`, { type: 'JoinRoom', actor: person(step.who) });
      this.room(`r${step.room}`, this.roomCommand(step), step);
    }
  }

  private roomCommand(step: Step): RoomCommand {
    const actor = person(step.who);
    const userId = `u${step.whom}`;
    const role = roles[step.words % 4] ?? 'member';
    const posted = this.posted.get(`r${step.room}`) ?? [];
    const messageId = posted.at(-1 - step.message) ?? 'none';
    switch (step.what) {
      case 'post': {
        const { words } = step;
        const fresh = `m${this.recorder.events.length}`;
        const replyTo = words % 3 === 0 && posted.length > 0 ? messageId : null;
        const kind = words % 2 ? 'text' : 'action';
        return {
          type: 'PostMessage',
          actor,
          messageId: words % 7 ? fresh : messageId,
          text: phrase(words),
          replyTo,
          kind,
        };
      }
      case 'edit':
        return { type: 'EditMessage', actor, messageId, text: phrase(step.words) };
      case 'redact':
        return { type: 'RedactMessage', actor, messageId, reason: 'rude' };
      case 'react':
        return { type: 'AddReaction', actor, messageId, emoji: emoji[step.words % 5] ?? '👍' };
      case 'unreact':
        return { type: 'RemoveReaction', actor, messageId, emoji: emoji[step.words % 5] ?? '👍' };
      case 'join':
        return { type: 'JoinRoom', actor };
      case 'leave':
        return { type: 'RemoveMember', actor, userId: actor.id, reason: null };
      case 'remove':
        return { type: 'RemoveMember', actor, userId, reason: 'rude' };
      case 'add':
        return { type: 'AddMember', actor, userId, role };
      case 'give role':
        return { type: 'ChangeMemberRole', actor, userId, role };
      case 'close':
        // Seldom, because little happens afterwards.
        return step.words < 2 && step.message < 2
          ? { type: 'CloseRoom', actor, reason: 'over' }
          : { type: 'JoinRoom', actor };
      case 'ban':
        return { type: 'BanMember', actor, userId, reason: 'rude', until: this.time(step.words) };
      case 'unban':
        return { type: 'UnbanMember', actor, userId };
      case 'mute':
        return {
          type: 'MuteMember',
          actor,
          userId,
          reason: 'loud',
          until: this.time(step.words) ?? this.time(1) ?? '',
        };
      case 'unmute':
        return { type: 'UnmuteMember', actor, userId };
      case 'slow mode':
        return { type: 'ChangeRoom', actor, slowModeSeconds: step.words % 3 };
      case 'hand over':
        return { type: 'TransferOwnership', actor, userId };
      case 'report':
        return { type: 'ReportMessage', actor, messageId, reportId: `p${this.recorder.events.length}`, reason: 'rude' };
      case 'settle': {
        const open = [...(this.rooms.get(`r${step.room}`)?.moderation.reports.entries() ?? [])].map(([id]) => id);
        const reportId = open[step.words % Math.max(open.length, 1)] ?? 'none';
        return { type: 'SettleReport', actor, reportId, outcome: step.words % 2 ? 'acted' : 'dismissed', note: 'done' };
      }
      case 'hook':
        return {
          type: 'AddIncomingWebhook',
          actor,
          webhookId: `w${this.recorder.events.length}`,
          botId: `b${this.bots}`,
          name: `Bot ${this.bots}`,
        };
      case 'unhook': {
        const webhooks = Object.keys(this.rooms.get(`r${step.room}`)?.incomingWebhooks ?? {});
        return { type: 'RemoveIncomingWebhook', actor, webhookId: webhooks[step.words % 3] ?? 'none' };
      }
      case 'inspect':
        return { type: 'InspectRoom', actor, what: 'messages', reason: phrase(step.words) };
      default:
        return {
          type: 'ChangeRoom',
          actor,
          ...(step.words % 2 && { name: phrase(step.words) }),
          ...(step.words % 3 && { topic: phrase(step.words) }),
          ...(step.words % 5 === 0 && {
            visibility: visibilities[step.words % 3],
            passwordId: step.words % 2 ? 'p1' : null,
          }),
        };
    }
  }

  /** The account comes first; the room may refuse the webhook. */
  private webhookBot(): void {
    const bot = `b${++this.bots}`;
    const name = { username: `hook-${bot}`, displayName: `Bot ${this.bots}`, email: null } as const;
    this.user(bot, { type: 'RegisterUser', actor: null, ...name, role: 'user', origin: 'webhook' });
  }

  /** Some seconds after the next event, or null. */
  private time(words: number): string | null {
    return words % 10 ? timeOf(this.recorder.events.length + (words % 10)) : null;
  }

  private room(id: string, command: RoomCommand, step?: Step): void {
    const before = this.rooms.get(id) ?? room.initialState;
    const decision = room.decide(command, before, timeOf(this.recorder.events.length));
    if (isRejection(decision)) return;
    const events = this.record(roomStream(id), command.actor.id, decision.events, step);
    for (const event of events) {
      if (event.type === 'MessagePosted') this.posted.set(id, [...(this.posted.get(id) ?? []), event.data.messageId]);
    }
    const state = events.reduce((state, event) => room.evolve(state, event as never), before);
    this.rooms.set(id, state);
  }

  private user(id: string, command: UserCommand, step?: Step): void {
    const before = this.users.get(id) ?? user.initialState;
    const decision = user.decide(command, before, timeOf(this.recorder.events.length));
    if (isRejection(decision)) return;
    const state = this.record(userStream(id), command.actor?.id ?? null, decision.events, step).reduce(
      (state, event) => user.evolve(state, event as never),
      before,
    );
    this.users.set(id, state);
  }

  private record(
    stream: string,
    actor: string | null,
    facts: readonly { type: string; data: object }[],
    step?: Step,
  ): Recorded[] {
    const occurredAt = step?.imported ? new Date(Date.UTC(2004, 5, 1 + step.words)).toISOString() : undefined;
    return facts.map(({ type, data }) =>
      this.recorder.record(stream, actor, { type, data: step?.erased ? withoutTexts(data) : data }, occurredAt),
    );
  }
}

const timeOf = (index: number): string => new Date(BEGINNING + index * 1_000).toISOString();

const person = (n: number): Actor => ({ id: `u${n}`, role: n === 0 ? 'admin' : n === 1 ? 'auditor' : 'user' });

function userCommand(step: Step): UserCommand | null {
  const actor = person(step.who);
  const userId = `u${step.whom}`;
  switch (step.what) {
    case 'change name':
      return { type: 'ChangeUser', actor, userId, displayName: phrase(step.words) };
    case 'suspend':
      return { type: 'ChangeUser', actor, userId, suspended: step.words % 2 === 0 };
    case 'change server role':
      return { type: 'ChangeUser', actor, userId, role: step.words % 2 ? 'auditor' : 'user' };
    case 'give address':
      return { type: 'ChangeUser', actor, userId, email: step.words % 3 ? `p${step.words % 5}@example.org` : null };
    case 'confirm address':
      return {
        type: step.words % 2 ? 'ConfirmEmail' : 'GiveUpEmail',
        actor: null,
        email: `p${step.words % 5}@example.org`,
      };
    case 'link':
      return { type: 'LinkIdentity', actor: null, identityId: `i${step.words}`, takesOver: false, sessionIds: [] };
    case 'sign in':
      return { type: 'StartSession', actor, sessionId: 's1', how: 'password' };
    default:
      return null;
  }
}

/** What opening finds when the key is gone. */
const withoutTexts = (data: object): object =>
  Object.fromEntries(
    Object.entries(data).map(([field, value]) => [
      field,
      ['text', 'name', 'topic', 'displayName', 'email', 'reason', 'note'].includes(field) ? null : value,
    ]),
  );
