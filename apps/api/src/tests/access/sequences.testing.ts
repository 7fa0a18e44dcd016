import type { EmailSource, RoomRole, ServerRole } from '@verbatim/domain';
import { type ErrorCode, type Scope, scopes } from '@verbatim/protocol';
import fc from 'fast-check';
import type { JWTPayload } from 'jose';
import { expect } from 'vitest';
import { keyPair, LyingProvider, signed } from '../../application/single-sign-on/lying-provider.testing.js';
import { Browser, client } from '../../application/single-sign-on/provider.testing.js';
import { outcome } from '../harness/contract.testing.js';
import { freePort } from '../harness/free-port.testing.js';
import {
  because,
  eventually,
  freshName,
  password,
  register,
  signIn,
  TestPerson,
  Visitor,
} from '../harness/test-client.testing.js';
import { startTestService, type TestService } from '../harness/test-service.testing.js';

/**
 * Random sequences of what people do with their sessions, tokens, roles and rooms, against a model of who may do what.
 * The model follows docs/accounts.md and docs/moderation.md, not the code; what it does not foresee is a failure.
 */

// The model --------------------------------------------------------------------------------------------------------------

/** A session with its access and refresh tokens, or a personal token, which is all the access it gives. */
interface Pass {
  readonly id: string;
  readonly holder: Person;
  readonly scopes: 'all' | readonly Scope[];
  readonly access: string[];
  readonly refresh: RefreshToken[];
  over: boolean;
}

interface RefreshToken {
  readonly text: string;
  /** When it was exchanged for the next one, milliseconds since 1970. */
  usedAt?: number;
}

interface Person {
  readonly id: string;
  readonly username: string;
  role: ServerRole;
  suspended: boolean;
  deactivated: boolean;
  readonly passes: Pass[];
  /** Milliseconds since 1970. */
  readonly madeAt: number;
  hasPassword: boolean;
  email: { readonly address: string; readonly by: EmailSource } | null;
  /** Whoever's at the identity provider opens the account. */
  subject: string | null;
}

interface Room {
  readonly id: string;
  readonly isPrivate: boolean;
  closed: boolean;
  readonly roles: Map<Person, RoomRole>;
  readonly banned: Set<Person>;
  readonly muted: Set<Person>;
  /** The texts of what was posted, in order. */
  readonly messages: string[];
  /** All that there ever were, in order. */
  readonly hooks: Hook[];
}

/** An incoming webhook with its bot, which is in the room as a member. */
interface Hook {
  readonly id: string;
  readonly path: string;
  readonly bot: { readonly id: string; suspended: boolean; deactivated: boolean };
  removed: boolean;
}

interface World {
  readonly people: Person[];
  /** A bot of the administrators, whose passes are tokens that they make. */
  readonly robot: Person;
  readonly rooms: readonly Room[];
}

/** The code of an error, or the status of a success. */
type Outcome = ErrorCode | number;

const GRACE = 10_000;
const ranks: Readonly<Record<RoomRole, number>> = { guest: 0, member: 1, moderator: 2, owner: 3 };

const isActive = ({ suspended, deactivated }: Person): boolean => !suspended && !deactivated;
const isSession = ({ scopes }: Pass): boolean => scopes === 'all';
const isGood = (pass: Pass): boolean => !pass.over && isActive(pass.holder);
const reaches = ({ scopes }: Pass, scope: Scope | 'session'): boolean =>
  scopes === 'all' || (scope !== 'session' && scopes.includes(scope));

/** Administrators count as owners of every room; -1: not in the room. */
function rankOf(person: Person, { roles }: Room): number {
  const role = roles.get(person);
  return person.role === 'admin' ? ranks.owner : role ? ranks[role] : -1;
}

const isLastOwner = (person: Person, { roles, closed }: Room): boolean =>
  !closed && roles.get(person) === 'owner' && [...roles.values()].filter((role) => role === 'owner').length === 1;

const refusal = (person: Person, { roles }: Room): ErrorCode => (roles.has(person) ? 'forbidden' : 'not_a_member');

/** Whether the target stands below the one who acts, as moderators need; owners act on everybody. */
const isBelow = (target: Person, person: Person, room: Room): boolean => {
  const role = room.roles.get(target);
  return rankOf(person, room) === ranks.owner || !role || ranks[role] < rankOf(person, room);
};

/** The rule that bans, mutes and their ends have in common. */
function mayNotRestrain(person: Person, target: Person, room: Room): ErrorCode | null {
  const rank = rankOf(person, room);
  if (rank < ranks.moderator) return refusal(person, room);
  if (room.closed) return 'room_closed';
  return isBelow(target, person, room) ? null : 'forbidden';
}

/** The address of somebody at the provider, whether or not an account has it. */
const addressOf = ({ username }: Person): string => `${username}@example.org`;

/** The account that opens for a verified address: given it by an administrator, nobody else's, and in use if possible. */
function waitingFor(address: string, people: readonly Person[]): Person | undefined {
  const theirs = people.filter(
    ({ email, subject, deactivated }) =>
      email?.by === 'administrator' && email.address === address && !subject && !deactivated,
  );
  const oldestFirst = theirs.toSorted((a, b) => a.madeAt - b.madeAt || (a.id < b.id ? -1 : 1));
  return prefer(oldestFirst, isActive)[0];
}

/** What the provider's word for an address changes, once an account has been found or made. */
function settleAddress(address: string, account: Person, people: readonly Person[]): void {
  if (account.email?.by !== 'administrator') account.email = { address, by: 'provider' };
  for (const person of people)
    if (person !== account && person.email?.by === 'person' && person.email.address === address) person.email = null;
}

/** An account that is taken out of use loses all that opened it, for good. */
function takeOut(person: Person): void {
  for (const pass of person.passes) pass.over = true;
}

// Steps ------------------------------------------------------------------------------------------------------------------

/** What is drawn for a step; each operation takes of it what it needs. */
interface Step {
  readonly does: OperationName;
  readonly who: number;
  readonly whom: number;
  readonly room: number;
  /** Whether a credential is shown that is good, if there is one; else any. */
  readonly good: boolean;
  readonly which: number;
  readonly yes: boolean;
  readonly serverRole: ServerRole;
  readonly roomRole: RoomRole;
  readonly scopes: readonly Scope[];
}

/** A step with its numbers looked up: who does it to whom, and what they show. */
interface Turn extends Omit<Step, 'who' | 'whom' | 'room'> {
  readonly who: Person;
  readonly whom: Person;
  readonly room: Room;
  /** One of the webhooks that the room has or had, if there is any. */
  readonly hook: Hook | undefined;
  readonly robot: Person;
  readonly pass: Pass;
  readonly people: Person[];
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly serial: number;
}

/** What is asked of the service, what it has to answer, and what is different once it is done. */
interface Deed {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  readonly path: string;
  readonly body?: object;
  /** False: without a credential. */
  readonly asSomebody?: false;
  /** Who comes from the identity provider, instead of the call. */
  readonly comes?: JWTPayload;
  readonly expected: Outcome;
  // biome-ignore lint/suspicious/noExplicitAny: the answers of all calls, held to the contract elsewhere
  readonly done?: (body: any) => void;
  /** What is different although it was refused. */
  readonly nonetheless?: () => void;
}

interface Needs {
  readonly scope: Scope | 'session';
  readonly admin?: true;
  /** Whether it changes something outside the caller's own account. */
  readonly writes?: true;
}

/** Decides at the door, by the credential alone; what gets through is for `further` to decide. */
function decide({ pass }: Turn, { scope, admin, writes }: Needs, further: () => Outcome): Outcome {
  const { role } = pass.holder;
  if (!isGood(pass)) return 'unauthenticated';
  if ((admin && role !== 'admin') || (writes && role === 'auditor') || !reaches(pass, scope)) return 'forbidden';
  return further();
}

const inRoom = { scope: 'manage', writes: true } as const;
const asAdmin = { scope: 'manage', admin: true } as const;
const ofOwn = { scope: 'session' } as const;

/** A session that the turn is about: one of the target's, if they have had any. */
const sessionOf = ({ whom, which }: Turn): Pass => pick(whom.passes.filter(isSession), which);

const tokenOf = ({ whom, which }: Turn): Pass | undefined =>
  pick(
    whom.passes.filter((pass) => !isSession(pass)),
    which,
  );

/** Those that are wanted, or all where none is. */
function prefer<T>(all: readonly T[], wanted: (one: T) => boolean): readonly T[] {
  const found = all.filter(wanted);
  return found.length > 0 ? found : all;
}

const pick = <T>(all: readonly T[], which: number): T => all[which % all.length] as T;

// Operations -------------------------------------------------------------------------------------------------------------

const operations = {
  // Sessions
  signIn({ who, yes }) {
    const body = { username: who.username, password: yes ? password : 'not the password' };
    const expected = !yes || !who.hasPassword ? 'unauthenticated' : isActive(who) ? 200 : 'forbidden';
    const done = (session: Tokens) => void who.passes.push(newSession(who, session));
    return { method: 'post', path: '/v1/auth/login', body, asSomebody: false, expected, done };
  },

  /** Somebody comes from the provider, which has verified that an address is theirs, or only says so. */
  signOn({ who, whom, yes: verified, people, now }) {
    const [sub, address] = [`sub-${who.id}`, addressOf(whom)];
    const known = people.find(({ subject }) => subject === sub);
    const account = known ?? (verified ? waitingFor(address, people) : undefined);
    const found = (person: Person) => {
      if (!known && person === account) {
        takeOut(person);
        person.hasPassword = false;
      }
      person.subject = sub;
      if (verified) settleAddress(address, person, people);
    };
    const done = (session: Tokens & { user: { id: string; username: string } }) => {
      const person = account ?? newPerson(session.user, now, { hasPassword: false });
      if (person.id !== session.user.id) throw new Error(`Let in as ${session.user.id} instead of ${person.id}.`);
      if (!account) people.push(person);
      found(person);
      person.passes.push(newSession(person, session));
    };
    const expected = !account || isActive(account) ? 200 : 'forbidden';
    const nonetheless = () => account && found(account);
    const comes = { sub, preferred_username: sub, email: address, email_verified: verified };
    return { method: 'post', path: '/v1/auth/sso/session', asSomebody: false, comes, expected, done, nonetheless };
  },

  /** Somebody makes an account with the address of another. */
  nameAddress({ whom, people, now }) {
    const email = addressOf(whom);
    const body = { username: freshName(), password, email: ` ${email.toUpperCase()}` };
    const done = ({ user, ...session }: Tokens & { user: { id: string; username: string } }) => {
      const person = newPerson(user, now, { email: { address: email, by: 'person' } });
      person.passes.push(newSession(person, session));
      people.push(person);
    };
    return { method: 'post', path: '/v1/auth/register', body, asSomebody: false, expected: 201, done };
  },

  refresh({ who, which, good, now }) {
    const sessions = who.passes.filter(isSession);
    const session = pick(good ? prefer(sessions, isGood) : sessions, which);
    const place = good ? session.refresh.length - 1 : which % session.refresh.length;
    return { ...renewal(session, place, now), body: { refreshToken: session.refresh[place]?.text } };
  },

  logout(turn) {
    const expected = decide(turn, ofOwn, () => 204);
    return { method: 'post', path: '/v1/auth/logout', expected, done: () => end(turn.pass) };
  },

  endMySession(turn) {
    const session = sessionOf(turn);
    const expected = decide(turn, ofOwn, () => (session.holder === turn.who && !session.over ? 204 : 'not_found'));
    return { method: 'delete', path: `/v1/me/sessions/${session.id}`, expected, done: () => end(session) };
  },

  endMyOtherSessions(turn) {
    const { who, pass } = turn;
    const others = who.passes.filter((one) => isSession(one) && one !== pass);
    const expected = decide(turn, ofOwn, () => 204);
    return { method: 'delete', path: '/v1/me/sessions', expected, done: () => end(...others) };
  },

  endSession(turn) {
    const session = sessionOf(turn);
    const expected = decide(turn, { scope: 'session', admin: true }, () => (session.over ? 'not_found' : 204));
    const path = `/v1/users/${turn.whom.id}/sessions/${session.id}`;
    return { method: 'delete', path, expected, done: () => end(session) };
  },

  // Accounts
  changeRole(turn) {
    const { who, whom, serverRole: role } = turn;
    const expected = decide(turn, asAdmin, () => (who === whom && role !== 'admin' ? 'conflict' : 200));
    const done = () => {
      whom.role = role;
    };
    return { method: 'patch', path: `/v1/users/${whom.id}`, body: { role }, expected, done };
  },

  suspend(turn) {
    const { who, whom, yes: suspended } = turn;
    const expected = decide(turn, asAdmin, () => (who === whom && suspended ? 'conflict' : 200));
    const done = () => {
      whom.suspended = suspended;
      if (suspended) takeOut(whom);
    };
    return { method: 'patch', path: `/v1/users/${whom.id}`, body: { suspended }, expected, done };
  },

  deactivate(turn) {
    const { who, whom, yes: deactivated } = turn;
    const expected = decide(turn, asAdmin, () => (who === whom && deactivated ? 'conflict' : 200));
    const done = () => {
      whom.deactivated = deactivated;
      if (deactivated) takeOut(whom);
    };
    return { method: 'patch', path: `/v1/users/${whom.id}`, body: { deactivated }, expected, done };
  },

  giveAddress(turn) {
    const { whom, which, yes, people } = turn;
    const email = yes ? addressOf(pick(people, which)) : null;
    const expected = decide(turn, asAdmin, () => 200);
    const done = () => {
      whom.email = { address: email ?? '', by: 'administrator' };
    };
    return { method: 'patch', path: `/v1/users/${whom.id}`, body: { email }, expected, done };
  },

  giveUp(turn) {
    const expected = decide(turn, ofOwn, () => (turn.yes && turn.who.hasPassword ? 204 : 'forbidden'));
    const body = { password: turn.yes ? password : 'not the password' };
    const done = () => {
      turn.who.deactivated = true;
      takeOut(turn.who);
    };
    return { method: 'post', path: '/v1/me/deactivate', body, expected, done };
  },

  // Personal tokens
  createToken(turn) {
    const { who, scopes } = turn;
    const expected = decide(turn, ofOwn, () => 201);
    const done = ({ id, token }: { id: string; token: string }) =>
      void who.passes.push({ id, holder: who, scopes, access: [token], refresh: [], over: false });
    return { method: 'post', path: '/v1/me/tokens', body: { name: 'of a sequence', scopes }, expected, done };
  },

  revokeToken(turn) {
    const { who, whom } = turn;
    const token = tokenOf(turn);
    const expected = decide(turn, ofOwn, () => (whom === who && token && !token.over ? 204 : 'not_found'));
    const path = `/v1/me/tokens/${token?.id ?? who.id}`;
    return { method: 'delete', path, expected, done: () => end(...(token ? [token] : [])) };
  },

  revokeTokenOf(turn) {
    const { whom } = turn;
    const token = tokenOf(turn);
    const needs = { scope: 'session', admin: true } as const;
    const expected = decide(turn, needs, () => (token && !token.over ? 204 : 'not_found'));
    const path = `/v1/users/${whom.id}/tokens/${token?.id ?? whom.id}`;
    return { method: 'delete', path, expected, done: () => end(...(token ? [token] : [])) };
  },

  // Bots of administrators
  createTokenOfRobot(turn) {
    const { robot, scopes } = turn;
    const needs = { scope: 'session', admin: true } as const;
    const expected = decide(turn, needs, () => (isActive(robot) ? 201 : 'forbidden'));
    const done = ({ id, token }: { id: string; token: string }) =>
      void robot.passes.push({ id, holder: robot, scopes, access: [token], refresh: [], over: false });
    const body = { name: 'of a robot', scopes, expiresInDays: null };
    return { method: 'post', path: `/v1/users/${robot.id}/tokens`, body, expected, done };
  },

  deactivateRobot(turn) {
    const { robot, yes: deactivated } = turn;
    const expected = decide(turn, asAdmin, () => 200);
    const done = () => {
      robot.deactivated = deactivated;
      if (deactivated) takeOut(robot);
    };
    return { method: 'patch', path: `/v1/users/${robot.id}`, body: { deactivated }, expected, done };
  },

  // Incoming webhooks and their bots
  addHook(turn) {
    const { who, room, serial } = turn;
    const expected = decide(turn, inRoom, () => {
      if (rankOf(who, room) < ranks.owner) return refusal(who, room);
      return room.closed ? 'room_closed' : 201;
    });
    const done = ({ id, path, botId }: { id: string; path: string; botId: string }) =>
      void room.hooks.push({ id, path, bot: { id: botId, suspended: false, deactivated: false }, removed: false });
    const body = { name: `${serial} of a sequence` };
    return { method: 'post', path: `/v1/rooms/${room.id}/incoming-webhooks`, body, expected, done };
  },

  removeHook(turn) {
    const { who, room, hook } = turn;
    const expected = decide(turn, inRoom, () => {
      if (rankOf(who, room) < ranks.owner) return refusal(who, room);
      return hook && !hook.removed ? 204 : 'not_found';
    });
    const done = () => {
      if (!hook) return;
      hook.removed = true;
      hook.bot.deactivated = true;
    };
    return { method: 'delete', path: `/v1/rooms/${room.id}/incoming-webhooks/${hook?.id ?? who.id}`, expected, done };
  },

  postToHook({ room, hook, serial }) {
    const text = `${serial} by a bot`;
    const blocked = hook && (hook.bot.suspended || hook.bot.deactivated);
    const open = room.closed ? 'room_closed' : blocked ? 'forbidden' : 201;
    const expected = hook && !hook.removed ? open : 'not_found';
    const done = () => void room.messages.push(text);
    return { method: 'post', path: hook?.path ?? '/v1/hooks/none', body: { text }, asSomebody: false, expected, done };
  },

  suspendHookBot(turn): Deed {
    const { hook, yes: suspended } = turn;
    if (!hook) return operations.suspend(turn);
    const expected = decide(turn, asAdmin, () => 200);
    const done = () => {
      hook.bot.suspended = suspended;
    };
    return { method: 'patch', path: `/v1/users/${hook.bot.id}`, body: { suspended }, expected, done };
  },

  endHookBot(turn): Deed {
    const { hook, yes: deactivated } = turn;
    if (!hook) return operations.deactivate(turn);
    const expected = decide(turn, asAdmin, () => (hook.bot.deactivated && !deactivated ? 'conflict' : 200));
    const done = () => {
      hook.bot.deactivated = deactivated;
    };
    return { method: 'patch', path: `/v1/users/${hook.bot.id}`, body: { deactivated }, expected, done };
  },

  createTokenOfHookBot(turn): Deed {
    const { hook, scopes } = turn;
    if (!hook) return operations.createTokenOfRobot(turn);
    const expected = decide(turn, { scope: 'session', admin: true }, () => 'forbidden');
    const body = { name: 'of a bot', scopes, expiresInDays: null };
    return { method: 'post', path: `/v1/users/${hook.bot.id}/tokens`, body, expected };
  },

  findPeople(turn) {
    const expected = decide(turn, { scope: 'read' }, () => 200);
    const done = ({ items }: { items: unknown[] }) => expect(items).toEqual([]);
    return { method: 'get', path: '/v1/users?q=of%20a%20sequence', expected, done };
  },

  // Rooms
  post(turn) {
    const { who, room, serial } = turn;
    const text = `${serial} by ${who.username}`;
    const expected = decide(turn, { scope: 'post', writes: true }, () => {
      const role = room.roles.get(who);
      if (!role) return 'not_a_member';
      if (room.closed) return 'room_closed';
      return role === 'guest' || room.muted.has(who) ? 'forbidden' : 201;
    });
    const done = () => void room.messages.push(text);
    return { method: 'post', path: `/v1/rooms/${room.id}/messages`, body: { text }, expected, done };
  },

  read(turn) {
    const { who, room } = turn;
    const expected = decide(turn, { scope: 'read' }, () => {
      if (room.roles.has(who)) return 200;
      return who.role === 'user' ? 'not_a_member' : 'reason_required';
    });
    return { method: 'get', path: `/v1/rooms/${room.id}/messages`, expected };
  },

  join(turn) {
    const { who, room } = turn;
    const expected = decide(turn, inRoom, () => {
      if (room.roles.has(who)) return 200;
      if (room.banned.has(who)) return 'forbidden';
      if (room.closed) return 'room_closed';
      return room.isPrivate && who.role !== 'admin' ? 'forbidden' : 201;
    });
    const done = () => void room.roles.set(who, room.roles.get(who) ?? 'member');
    return { method: 'post', path: `/v1/rooms/${room.id}/members`, body: {}, expected, done };
  },

  leave,

  bringIn(turn) {
    const { who, whom, room, roomRole: role } = turn;
    const expected = decide(turn, inRoom, () => {
      const rank = rankOf(who, room);
      if (whom.deactivated) return 'not_found';
      if (rank < ranks.moderator) return refusal(who, room);
      if (rank < ranks.owner && ranks[role] >= rank) return 'forbidden';
      if (room.roles.has(whom)) return 200;
      if (room.closed) return 'room_closed';
      return room.banned.has(whom) ? 'conflict' : 201;
    });
    const done = () => void room.roles.set(whom, room.roles.get(whom) ?? role);
    return {
      method: 'post',
      path: `/v1/rooms/${room.id}/members`,
      body: { userId: whom.id, role },
      expected,
      done,
    };
  },

  kick(turn) {
    const { who, whom, room } = turn;
    if (who === whom) return leave(turn);
    const expected = decide(turn, inRoom, () => {
      if (rankOf(who, room) < ranks.moderator) return refusal(who, room);
      if (!room.roles.has(whom)) return 'not_found';
      if (!isBelow(whom, who, room)) return 'forbidden';
      return isLastOwner(whom, room) ? 'conflict' : 204;
    });
    const done = () => void room.roles.delete(whom);
    return { method: 'delete', path: `/v1/rooms/${room.id}/members/${whom.id}`, expected, done };
  },

  changeMember(turn) {
    const { who, whom, room, roomRole: role } = turn;
    const expected = decide(turn, inRoom, () => {
      const rank = rankOf(who, room);
      const present = room.roles.get(whom);
      if (rank < ranks.moderator) return refusal(who, room);
      if (!present) return 'not_found';
      if (room.closed) return 'room_closed';
      if (rank < ranks.owner && (ranks[role] >= rank || ranks[present] >= rank)) return 'forbidden';
      return role !== 'owner' && isLastOwner(whom, room) ? 'conflict' : 200;
    });
    const done = () => void room.roles.set(whom, role);
    return { method: 'patch', path: `/v1/rooms/${room.id}/members/${whom.id}`, body: { role }, expected, done };
  },

  ban(turn) {
    const { who, whom, room } = turn;
    const expected = decide(
      turn,
      inRoom,
      () => mayNotRestrain(who, whom, room) ?? (isLastOwner(whom, room) ? 'conflict' : 204),
    );
    const done = () => {
      room.banned.add(whom);
      room.roles.delete(whom);
    };
    return { method: 'put', path: `/v1/rooms/${room.id}/bans/${whom.id}`, body: {}, expected, done };
  },

  unban(turn) {
    const { who, whom, room } = turn;
    const expected = decide(turn, inRoom, () => mayNotRestrain(who, whom, room) ?? 204);
    const done = () => void room.banned.delete(whom);
    return { method: 'delete', path: `/v1/rooms/${room.id}/bans/${whom.id}`, expected, done };
  },

  mute(turn) {
    const { who, whom, room, now } = turn;
    const expected = decide(
      turn,
      inRoom,
      () => mayNotRestrain(who, whom, room) ?? (room.roles.has(whom) ? 204 : 'not_found'),
    );
    const body = { until: new Date(now + 3_600_000).toISOString() };
    const done = () => void room.muted.add(whom);
    return { method: 'put', path: `/v1/rooms/${room.id}/mutes/${whom.id}`, body, expected, done };
  },

  unmute(turn) {
    const { who, whom, room } = turn;
    const expected = decide(turn, inRoom, () => mayNotRestrain(who, whom, room) ?? 204);
    const done = () => void room.muted.delete(whom);
    return { method: 'delete', path: `/v1/rooms/${room.id}/mutes/${whom.id}`, expected, done };
  },

  close(turn) {
    const { who, room } = turn;
    const expected = decide(turn, inRoom, () => (rankOf(who, room) < ranks.owner ? refusal(who, room) : 200));
    const done = () => {
      room.closed = true;
      for (const { bot } of room.hooks) bot.deactivated = true;
    };
    return { method: 'post', path: `/v1/rooms/${room.id}/close`, body: {}, expected, done };
  },
} satisfies Record<string, (turn: Turn) => Deed>;

function leave(turn: Turn): Deed {
  const { who, room } = turn;
  const expected = decide(turn, inRoom, () => {
    if (!room.roles.has(who)) return 'not_a_member';
    return isLastOwner(who, room) ? 'conflict' : 204;
  });
  const done = () => void room.roles.delete(who);
  return { method: 'delete', path: `/v1/rooms/${room.id}/members/me`, expected, done };
}

/** `wait` lets the time pass in which a refresh may be repeated. */
type OperationName = keyof typeof operations | 'wait';

/** How often each is drawn, where that is not once. */
const weights: Partial<Record<OperationName, number>> = {
  signIn: 3,
  signOn: 4,
  giveAddress: 2,
  refresh: 6,
  suspend: 2,
  changeRole: 2,
  createToken: 3,
  createTokenOfRobot: 2,
  deactivateRobot: 2,
  addHook: 3,
  postToHook: 4,
  post: 6,
};

interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

const newPerson = (
  { id, username }: { id: string; username: string },
  madeAt: number,
  more: Partial<Person> = {},
): Person => {
  const standing = { role: 'user', suspended: false, deactivated: false } as const;
  return { id, username, madeAt, ...standing, passes: [], hasPassword: true, email: null, subject: null, ...more };
};

const newSession = (holder: Person, { accessToken, refreshToken }: Tokens): Pass => ({
  id: JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()).sid,
  holder,
  scopes: 'all',
  access: [accessToken],
  refresh: [{ text: refreshToken }],
  over: false,
});

function end(...passes: readonly Pass[]): void {
  for (const pass of passes) pass.over = true;
}

/** What comes of showing the refresh token at this place in the chain. */
function renewal(session: Pass, place: number, now: number): Omit<Deed, 'body'> {
  const { refresh } = session;
  const call = { method: 'post', path: '/v1/auth/refresh', asSomebody: false } as const;
  if (!isGood(session)) return { ...call, expected: 'unauthenticated' };
  const { usedAt } = refresh[place] as RefreshToken;
  const isLatest = usedAt === undefined;
  const isRepeated = usedAt !== undefined && place === refresh.length - 2 && now - usedAt <= GRACE;
  if (!isLatest && !isRepeated) return { ...call, expected: 'unauthenticated', nonetheless: () => end(session) };
  const done = ({ accessToken, refreshToken }: Tokens) => {
    session.access.push(accessToken);
    if (isLatest) {
      (refresh[place] as RefreshToken).usedAt = now;
      refresh.push({ text: refreshToken });
    } else if (refreshToken !== refresh.at(-1)?.text) throw new Error('A repeated refresh gave another successor.');
  };
  return { ...call, expected: 200, done };
}

// Playing ----------------------------------------------------------------------------------------------------------------

/** Milliseconds in which the other replica has to know of all that a step ended. That each takes one second is shown by tests of its own. */
const EVERYWHERE = 3_000;

/** The service, a second replica, and the administrator who sets the scenes and reads them back. */
export interface Stage {
  readonly left: TestService;
  readonly right: TestService;
  readonly root: TestPerson;
  readonly provider: LyingProvider;
  /** The clock of both replicas stands still but for steps that let time pass. */
  now: number;
  /** How often each operation had which outcome. */
  readonly tally: Map<string, number>;
}

export async function openStage(): Promise<Stage> {
  const time = { now: Date.now() };
  const clock = () => new Date(time.now);
  const [provider, port] = [await LyingProvider.start(client.id), await freePort()];
  const environment = {
    PORT: `${port}`,
    OIDC_ISSUER: provider.issuer,
    OIDC_CLIENT_ID: client.id,
    OIDC_CLIENT_SECRET: client.secret,
    OIDC_REDIRECT_URI: `http://127.0.0.1:${port}/v1/auth/sso/callback`,
  };
  const left = await startTestService({ clock, environment });
  const right = await startTestService({ beside: left, clock });
  return Object.assign(time, { left, right, root: await signIn(left.url), provider, tally: new Map() });
}

export async function closeStage({ left, right, provider }: Stage): Promise<void> {
  await right.stop();
  await left.stop();
  await provider.stop();
}

const seed = Number(process.env.ACCESS_SEED ?? Date.now() % 2 ** 31);

/** Plays this many sequences, each with people and rooms of its own. ACCESS_SEED plays those of an earlier run again. */
export async function playSequences(stage: Stage, runs: number, patience: number): Promise<void> {
  const property = fc.asyncProperty(fc.array(steps, { minLength: 10, maxLength: 25 }), (sequence) =>
    play(stage, sequence),
  );
  const limit = { interruptAfterTimeLimit: patience, markInterruptAsFailure: true };
  await fc.assert(property, { seed, numRuns: runs, ...limit });
}

const oneOf = <T>(...values: T[]) => fc.constantFrom(...values);
const names: readonly OperationName[] = [...(Object.keys(operations) as OperationName[]), 'wait'];
const steps: fc.Arbitrary<Step> = fc.record({
  does: oneOf(...names.flatMap((name) => Array<OperationName>(weights[name] ?? 1).fill(name))),
  who: fc.nat(11),
  whom: fc.nat(11),
  room: fc.nat(1),
  good: oneOf(true, true, true, false),
  which: fc.nat(99),
  yes: oneOf(true, true, false),
  serverRole: oneOf<ServerRole>('admin', 'user', 'auditor'),
  roomRole: oneOf<RoomRole>('owner', 'moderator', 'member', 'guest'),
  scopes: fc.subarray([...scopes], { minLength: 1 }),
});

async function play(stage: Stage, sequence: readonly Step[]): Promise<void> {
  const world = await setWorld(stage);
  const story: string[] = [];
  try {
    for (const [serial, step] of sequence.entries()) {
      const before = passesOf(world).filter(isGood);
      if (step.does === 'wait') stage.now += GRACE + 1;
      else await perform(stage, lookUp(stage, world, step, serial), story);
      const all = passesOf(world);
      await checkPasses(stage, [pick(all, step.which), ...before.filter((pass) => !isGood(pass))], step.which);
    }
    await checkPasses(stage, passesOf(world));
    await checkRooms(stage, world);
    await checkBots(stage, world);
  } catch (error) {
    throw new Error(`${(error as Error).message}\nafter\n${story.join('\n')}`);
  }
}

const passesOf = ({ people, robot }: World): Pass[] => [...people, robot].flatMap(({ passes }) => passes);

/** An administrator and three others; a public room of the first and a private one of the second with somebody at each rank. */
async function setWorld({ left, root, now }: Stage): Promise<World> {
  const some = await Promise.all([1, 2, 3, 4].map(() => register(left.url)));
  const [one, two, three] = some as [TestPerson, TestPerson, TestPerson];
  await root.patch(`/v1/users/${one.id}`, { role: 'admin' });
  const ids = [
    await one.roomWith([two]),
    await two.roomWith([[three, 'moderator'], some[3] as TestPerson], { visibility: 'private' }),
  ];
  const people = some.map((person, i): Person => {
    const { id, username } = person;
    const holder = newPerson({ id, username }, now, { role: i === 0 ? 'admin' : 'user' });
    holder.passes.push(newSession(holder, person));
    return holder;
  });
  const roles: RoomRole[][] = [
    ['owner', 'member'],
    ['owner', 'moderator', 'member'],
  ];
  const rooms = roles.map((named, i): Room => {
    const entered = named.map((role, place) => [people[place + i] as Person, role] as const);
    const nothing = { closed: false, banned: new Set<Person>(), muted: new Set<Person>(), messages: [], hooks: [] };
    return { id: ids[i] as string, isPrivate: i === 1, roles: new Map(entered), ...nothing };
  });
  const { id, username } = (await root.post('/v1/bots', { username: freshName() })).body;
  const robot = newPerson({ id, username }, now, { role: 'user' });
  return { people, robot, rooms };
}

function lookUp({ now }: Stage, { people, robot, rooms }: World, step: Step, serial: number): Turn {
  const [who, whom] = [pick(people, step.who), pick(people, step.whom)];
  const pass = pick(step.good ? prefer(who.passes, isGood) : who.passes, step.which);
  const room = rooms[step.room] as Room;
  const hook = pick(room.hooks, step.which) as Hook | undefined;
  return { ...step, who, whom, room, hook, robot, pass, people, now, serial };
}

async function perform(stage: Stage, turn: Turn, story: string[]): Promise<void> {
  const { does, who, pass, which } = turn;
  const operation = operations[does as keyof typeof operations] as (turn: Turn) => Deed;
  const { method, path, body, asSomebody = true, comes, expected, done, nonetheless } = operation(turn);
  const { url } = stage.left;
  const visitor = asSomebody ? bearing(pass, url, which) : new Visitor(url);
  const answer = comes ? await signOn(stage, comes) : await visitor.send(method, path, body);
  const shown = asSomebody ? `with ${isSession(pass) ? 'session' : `token for ${pass.scopes}`} ${pass.id}` : '';
  const line = `${does}: ${who.role} ${who.username} ${shown} ${method} ${path} ${JSON.stringify(body ?? comes) ?? ''}`;
  story.push(`${line} -> ${outcome(answer)}`);
  if (outcome(answer) !== expected) throw new Error(`The last step should have been ${expected}.`);
  if (typeof expected === 'number') done?.(answer.body);
  else nonetheless?.();
  const entry = `${does}: ${expected}`;
  stage.tally.set(entry, (stage.tally.get(entry) ?? 0) + 1);
}

/** Goes to the provider and back as somebody, and exchanges the code at the end for a session. */
async function signOn({ left, provider, now }: Stage, somebody: JWTPayload) {
  const key = await providerKey;
  provider.keys = [key.jwk];
  const times = { iat: Math.floor(now / 1_000), exp: Math.floor(Math.max(now, Date.now()) / 1_000) + 300 };
  provider.token = (claims) => signed({ ...claims, ...somebody, ...times }, key);
  const browser = new Browser();
  const end = String(await browser.follow(`${left.url}/v1/auth/sso`, `${left.url}/admin/`));
  const response = await browser.post(`${left.url}/v1/auth/sso/session`, { code: end.split('#sso-code=')[1] });
  const text = await response.text();
  const { status, headers } = response;
  return { status, headers: Object.fromEntries(headers), text, body: JSON.parse(text) };
}

const providerKey = keyPair('of all sequences');

/** Somebody at a door with one of the access tokens of a session, or with a personal token. */
const bearing = ({ holder, access }: Pass, url: string, which: number): TestPerson =>
  new TestPerson(url, holder.id, holder.username, pick(access, which), '');

/** Each is, here at once and at the other replica within a second, good for what the model says and for nothing else. */
async function checkPasses({ left, right }: Stage, passes: readonly Pass[], which = 0): Promise<void> {
  const asked = Date.now();
  for (const pass of passes) {
    const { holder } = pass;
    const expected = !isGood(pass) ? 'unauthenticated' : reaches(pass, 'read') ? `200 ${holder.role}` : 'forbidden';
    const seenAt = async (url: string) => {
      const answer = await bearing(pass, url, which).get('/v1/me');
      return answer.status === 200 ? `200 ${answer.body.role}` : outcome(answer);
    };
    const here = await seenAt(left.url);
    if (here !== expected) throw new Error(`${pass.id} of ${holder.username} is ${here}, not ${expected}.`);
    await eventually(
      () => seenAt(right.url),
      (there) => there === expected,
    );
    const took = Date.now() - asked;
    if (took > EVERYWHERE) throw new Error(`It took ${took} ms until the other replica knew of ${pass.id}.`);
  }
}

/** What was posted, and who is in the rooms, is what the model let through. */
async function checkRooms({ right, root }: Stage, { people, rooms }: World): Promise<void> {
  for (const { id, messages, roles, hooks } of rooms) {
    const reader = root.at(right.url);
    const found = await reader.all(`/v1/rooms/${id}/messages?order=oldest`, 200, because());
    const members = await reader.all(`/v1/rooms/${id}/members`, 200, because());
    expect(found.map(({ text }) => text)).toEqual(messages);
    const named = people.flatMap((person) => (roles.has(person) ? [`${person.id} ${roles.get(person)}`] : []));
    const bots = hooks.flatMap(({ bot, removed }) => (removed ? [] : [`${bot.id} member`]));
    expect(members.map(({ userId, role }) => `${userId} ${role}`).sort()).toEqual([...named, ...bots].sort());
  }
}

/** The bots of webhooks have ended with them, and none else has. */
async function checkBots({ right, root }: Stage, { rooms }: World): Promise<void> {
  for (const { bot } of rooms.flatMap(({ hooks }) => hooks)) {
    const status = bot.deactivated ? 'deactivated' : bot.suspended ? 'suspended' : 'active';
    expect((await root.at(right.url).get(`/v1/users/${bot.id}`)).body).toMatchObject({ bot: true, status });
  }
}
