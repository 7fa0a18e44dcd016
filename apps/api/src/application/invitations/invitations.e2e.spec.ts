import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { neverSeen, outcome } from '../../tests/harness/contract.testing.js';
import {
  eventually,
  freshName,
  password,
  register,
  signIn,
  type TestPerson,
  unknownId,
  Visitor,
} from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

let one: TestService;
let other: TestService;
let now = () => new Date();
let admin: TestPerson;
let ada: TestPerson;
let bob: TestPerson;
let visitor: Visitor;
let sql: Sql;
beforeAll(async () => {
  const clock = () => now();
  one = await startTestService({ clock, environment: { REGISTRATION: 'invite' } });
  other = await startTestService({ clock, environment: { REGISTRATION: 'open' }, beside: one });
  sql = postgres(one.databaseUrl, { onnotice: () => undefined });
  admin = (await signIn(one.url)) as TestPerson;
  [ada, bob] = [(await register(other.url)).at(one.url), (await register(other.url)).at(one.url)];
  visitor = new Visitor(one.url);
});
afterAll(async () => {
  await sql.end();
  await other.stop();
  await one.stop();
});

const invite = async (wishes: object = {}) => (await admin.post('/v1/invitations', wishes)).body;
const inviteTo = async (room: string, wishes: object = {}, by = ada) =>
  (await by.post(`/v1/rooms/${room}/invitations`, wishes)).body;
const enter = (code: string | undefined, username = freshName(), url = one.url) =>
  new Visitor(url).post('/v1/auth/register', { username, password, invitation: code });
const join = async (person: TestPerson, room: string, invitation: string) =>
  outcome(await person.post(`/v1/rooms/${room}/members`, { invitation }));
const wrongCode = '0'.repeat(32);

/** Lets time pass for the service, as long as `work` takes. */
async function later<T>(seconds: number, work: () => Promise<T>): Promise<T> {
  now = () => new Date(Date.now() + seconds * 1_000);
  try {
    return await work();
  } finally {
    now = () => new Date();
  }
}

describe('an invitation to the server', () => {
  it('is created by administrators, by default for one person and a week', async () => {
    const made = await invite();
    expect(made).toMatchObject({ kind: 'server', role: null, roomId: null, uses: 1, used: 0, revoked: false });
    expect(made.code).toMatch(/^[0-9a-hjkmnp-tv-z]{32}$/);
    expect(Date.parse(made.expiresAt) - Date.parse(made.createdAt)).toBeCloseTo(7 * 86_400_000, -4);
    expect(outcome(await ada.post('/v1/invitations', {}))).toBe('forbidden');
    for (const wrong of [{ uses: 0 }, { uses: 10_001 }, { expiresInSeconds: 59 }, { expiresInSeconds: 31_536_001 }])
      expect(outcome(await admin.post('/v1/invitations', wrong))).toBe('invalid_request');
  });

  it('lets people register where nobody can without one', async () => {
    const { code, id } = await invite({ uses: 2 });
    expect(outcome(await enter(undefined))).toBe('forbidden');
    expect(outcome(await enter(wrongCode))).toBe('forbidden');
    const [first, second] = [freshName(), freshName()];
    expect(outcome(await enter(code, first))).toBe(201);
    expect(outcome(await enter(code.toUpperCase(), second))).toBe(201);
    expect(outcome(await enter(code))).toBe('forbidden');
    expect((await signIn(one.url, { username: first, password })).username).toBe(first);
    const uses = await admin.all(`/v1/invitations/${id}/uses`, 1);
    expect(uses.map(({ user }) => user.username)).toEqual([first, second]);
  });

  it('is not used up by a taken username or a repeated attempt', async () => {
    const { code, id } = await invite();
    expect(outcome(await enter(code, ada.username))).toBe('name_taken');
    const username = freshName();
    expect(outcome(await enter(code, username))).toBe(201);
    // The account is there, and who has the same code does not get into it.
    expect(outcome(await enter(code, username))).toBe('name_taken');
    expect(outcome(await enter(code))).toBe('forbidden');
    expect(await admin.all(`/v1/invitations/${id}/uses`)).toHaveLength(1);
  });

  it('redeemed by an interrupted attempt can be used by the same person again', async () => {
    const { code, id } = await invite();
    const username = freshName();
    // The database takes the event of the invitation, and not that of the account, as if the process died in between.
    await sql.unsafe(`
      create function refuse_for_now() returns trigger language plpgsql as $$ begin raise exception 'not now'; end $$;
      create trigger not_now before insert on log.events for each row
        when (new.type = 'UserRegistered') execute function refuse_for_now()`);
    try {
      expect((await enter(code, username)).status).toBeGreaterThanOrEqual(500);
      expect(await admin.all(`/v1/invitations/${id}/uses`)).toHaveLength(1);
      expect(outcome(await enter(code))).toBe('forbidden');
    } finally {
      await sql.unsafe('drop trigger not_now on log.events; drop function refuse_for_now()');
    }
    await eventually(
      () => enter(code, username, other.url),
      (answer) => answer.status === 201,
    );
    expect(await admin.all(`/v1/invitations/${id}/uses`)).toHaveLength(1);
    expect((await signIn(one.url, { username, password })).username).toBe(username);
  });

  it('lets in exactly as many as it is for, over two replicas at once', async () => {
    const { code, id } = await invite({ uses: 5 });
    const tries = Array.from({ length: 20 }, (_, i) => enter(code, freshName(), i % 2 ? one.url : other.url));
    const outcomes = (await Promise.all(tries)).map(outcome);
    expect(outcomes.filter((each) => each === 201)).toHaveLength(5);
    expect(outcomes.filter((each) => each === 'forbidden')).toHaveLength(15);
    expect(await admin.all(`/v1/invitations/${id}/uses`)).toHaveLength(5);
  });

  it('ends when it expires or is revoked', async () => {
    const [short, revoked] = [await invite({ uses: null, expiresInSeconds: 60 }), await invite({ uses: null })];
    expect(outcome(await enter(short.code))).toBe(201);
    await later(61, async () => expect(outcome(await enter(short.code))).toBe('forbidden'));
    expect(outcome(await admin.delete(`/v1/invitations/${revoked.id}`))).toBe(204);
    expect(outcome(await admin.delete(`/v1/invitations/${revoked.id}`))).toBe(204);
    for (const url of [one.url, other.url])
      expect(outcome(await enter(revoked.code, freshName(), url))).toBe('forbidden');
    expect(outcome(await admin.delete(`/v1/invitations/${unknownId()}`))).toBe('not_found');
    expect(outcome(await ada.delete(`/v1/invitations/${revoked.id}`))).toBe('forbidden');
  });

  it('is listed, without its code', async () => {
    const { id, code, ...made } = await invite({ uses: 7 });
    const listed = await admin.all('/v1/invitations', 2);
    expect(listed[0]).toEqual({ id, ...made });
    expect(JSON.stringify(listed)).not.toContain(code);
    expect(outcome(await ada.get('/v1/invitations'))).toBe('forbidden');
    expect(outcome(await ada.get(`/v1/invitations/${id}/uses`))).toBe('forbidden');
    expect(outcome(await admin.get(`/v1/invitations/${unknownId()}/uses`))).toBe('not_found');
    expect(outcome(await admin.get('/v1/invitations?cursor=x'))).toBe('invalid_request');
    expect(outcome(await admin.get(`/v1/invitations/${id}/uses?cursor=x`))).toBe('invalid_request');
  });

  it('is stored only as a hash', async () => {
    const { code, id } = await invite();
    const [row] = await sql`select * from vault.invitations where id = ${id}`;
    const events = await sql`select sealed from log.events where stream = ${`invitation-${id}`}`;
    expect(JSON.stringify([row, events])).not.toContain(code);
    expect(row?.code_hash).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('an invitation to a room', () => {
  it('is created by owners and moderators, and by administrators', async () => {
    const [moderator, member] = [await register(other.url), await register(other.url)];
    const room = await ada.roomWith([[moderator, 'moderator'], member]);
    const path = `/v1/rooms/${room}/invitations`;
    for (const person of [ada, moderator.at(one.url), admin]) expect(outcome(await person.post(path))).toBe(201);
    expect(outcome(await member.post(path))).toBe('forbidden');
    expect(outcome(await bob.post(path))).toBe('not_a_member');
    expect(outcome(await visitor.post(path))).toBe('unauthenticated');
    expect(outcome(await ada.post(`/v1/rooms/${unknownId()}/invitations`))).toBe('not_found');
    expect(outcome(await ada.post(path, { role: 'owner' }))).toBe('invalid_request');
    const direct = (await ada.put(`/v1/direct/${bob.username}`)).body.id;
    expect(outcome(await ada.post(`/v1/rooms/${direct}/invitations`))).toBe('forbidden');
    await ada.post(`/v1/rooms/${room}/close`);
    expect(outcome(await ada.post(path))).toBe('room_closed');
    expect(await ada.all(path, 2)).toHaveLength(3);
    expect(outcome(await member.get(path))).toBe('forbidden');
    expect(outcome(await bob.get(path))).toBe('not_a_member');
    expect(outcome(await bob.get(`/v1/rooms/${await ada.room({ visibility: 'hidden' })}/invitations`))).toBe(
      'not_found',
    );
  });

  it.each([
    ['public', {}],
    ['public', { password: 'sesame' }],
    ['private', {}],
    ['private', { password: 'sesame' }],
    ['hidden', {}],
  ])('admits to a %s room with %j, in the role it grants', async (visibility, settings) => {
    const room = await ada.room({ visibility, ...settings });
    const guest = await register(other.url);
    const { code } = await inviteTo(room, { role: 'guest' });
    const joined = await guest.post(`/v1/rooms/${room}/members`, { invitation: code });
    expect([joined.status, joined.body.role]).toEqual([201, 'guest']);
    expect(outcome(await guest.post(`/v1/rooms/${room}/messages`, { text: 'x' }))).toBe('forbidden');
    expect(await join(guest, room, code)).toBe(200);
  });

  it('works over a socket as well', async () => {
    const room = await ada.room({ visibility: 'private' });
    const { code } = await inviteTo(room);
    const person = await register(other.url);
    const socket = await person.connect();
    expect(await socket.refused('join', { room })).toBe('forbidden');
    expect(await socket.refused('join', { room, invitation: wrongCode })).toBe('forbidden');
    expect((await socket.ask('join', { room, invitation: code })).event).toBe('ack');
    expect((await socket.ask('post', { room, text: 'here I am' })).event).toBe('ack');
    socket.close();
  });

  it('is for one room, and reveals nothing about hidden ones', async () => {
    const [room, hidden, another] = [
      await ada.room({ visibility: 'private' }),
      await ada.room({ visibility: 'hidden' }),
      await ada.room(),
    ];
    const { code } = await inviteTo(another, { uses: null });
    const server = await invite();
    for (const wrong of [code, server.code, wrongCode]) {
      expect(await join(bob, room, wrong)).toBe('forbidden');
      expect(await join(bob, hidden, wrong)).toBe('not_found');
    }
    expect(outcome(await enter(code))).toBe('forbidden');
    await ada.post(`/v1/rooms/${hidden}/close`);
    expect(await join(bob, hidden, wrongCode)).toBe('not_found');
  });

  it('admits exactly as many people as allowed, each once, through two replicas at once', async () => {
    const room = await ada.room({ visibility: 'private' });
    const { code, id } = await inviteTo(room, { uses: 3 });
    const people = await Promise.all(Array.from({ length: 6 }, () => register(other.url)));
    const tries = people.flatMap((person) => [join(person, room, code), join(person.at(one.url), room, code)]);
    const outcomes = await Promise.all(tries);
    const members = await ada.all(`/v1/rooms/${room}/members`);
    expect(members).toHaveLength(4);
    expect(outcomes.filter((each) => each === 201)).toHaveLength(3);
    expect(outcomes.filter((each) => each === 'forbidden')).toHaveLength(6);
    expect(await admin.all(`/v1/invitations/${id}/uses`)).toHaveLength(3);
  });

  it('redeemed by an interrupted attempt can be used again by the same person only', async () => {
    const room = await ada.room({ visibility: 'private' });
    const { code, id } = await inviteTo(room);
    const person = await register(other.url);
    expect(await join(person, room, code)).toBe(201);
    await person.delete(`/v1/rooms/${room}/members/me`);
    // The invitation counts this person and the room does not have them, as when the process dies in between.
    expect(await join(bob, room, code)).toBe('forbidden');
    expect(await join(person, room, code)).toBe(201);
    expect(await admin.all(`/v1/invitations/${id}/uses`)).toHaveLength(1);
  });

  it('is not used up by members, or where the room admits nobody', async () => {
    const room = await ada.room();
    const { code, id } = await inviteTo(room);
    expect(await join(ada, room, code)).toBe(200);
    await ada.post(`/v1/rooms/${room}/close`);
    expect(await join(bob, room, code)).toBe('room_closed');
    expect(await admin.all(`/v1/invitations/${id}/uses`)).toEqual([]);
  });

  it('ends when it expires or is revoked, at every replica', async () => {
    const room = await ada.room({ visibility: 'private' });
    const [short, revoked] = [await inviteTo(room, { expiresInSeconds: 60 }), await inviteTo(room)];
    await later(61, async () => expect(await join(bob, room, short.code)).toBe('forbidden'));
    const path = `/v1/rooms/${room}/invitations/${revoked.id}`;
    expect(outcome(await visitor.delete(path))).toBe('unauthenticated');
    expect(outcome(await bob.delete(path))).toBe('not_a_member');
    const member = await register(other.url);
    await ada.post(`/v1/rooms/${room}/members`, { userId: member.id });
    expect(outcome(await member.delete(path))).toBe('forbidden');
    expect(outcome(await ada.delete(`/v1/rooms/${await ada.room()}/invitations/${revoked.id}`))).toBe('not_found');
    expect(outcome(await admin.delete(`/v1/invitations/${revoked.id}`))).toBe('not_found');
    expect(outcome(await ada.delete(path))).toBe(204);
    for (const person of [bob, bob.at(other.url)]) expect(await join(person, room, revoked.code)).toBe('forbidden');
    const listed = (await ada.get(`/v1/rooms/${room}/invitations`)).body.items;
    expect(listed.map(({ revoked, used }: { revoked: boolean; used: number }) => [revoked, used])).toEqual([
      [true, 0],
      [false, 0],
    ]);
  });
});

describe('looking up a code', () => {
  const lookUp = (code: string) => visitor.post('/v1/invitations/look-up', { code });

  it('shows what it is for and who invites, and uses nothing up', async () => {
    const room = await ada.room({ visibility: 'hidden', name: 'cellar' });
    const [server, hidden] = [await invite(), await inviteTo(room, { role: 'guest' })];
    const { body } = await lookUp(server.code);
    expect(body).toMatchObject({ kind: 'server', role: null, room: null, inviter: { username: 'admin' } });
    for (let i = 0; i < 3; i++)
      expect((await lookUp(hidden.code)).body).toEqual({
        kind: 'room',
        role: 'guest',
        expiresAt: hidden.expiresAt,
        room: { id: room, name: 'cellar' },
        inviter: { id: ada.id, username: ada.username },
      });
    expect(await join(bob, room, hidden.code)).toBe(201);
    expect(outcome(await lookUp(hidden.code))).toBe('not_found');
  });

  it('reveals nothing about an invalid one', async () => {
    const [revoked, short] = [await invite(), await invite({ expiresInSeconds: 60 })];
    await admin.delete(`/v1/invitations/${revoked.id}`);
    expect(outcome(await lookUp(revoked.code))).toBe('not_found');
    await later(61, async () => expect(outcome(await lookUp(short.code))).toBe('not_found'));
    expect(outcome(await lookUp(wrongCode))).toBe('not_found');
    expect(outcome(await lookUp('guess'))).toBe('invalid_request');
    const room = await ada.room();
    const { code } = await inviteTo(room);
    await ada.post(`/v1/rooms/${room}/close`);
    expect(outcome(await lookUp(code))).toBe('not_found');
  });
});

it('invitations survive a restart', async () => {
  const { code } = await invite({ uses: 2 });
  await enter(code, freshName(), other.url);
  await other.restart();
  expect(outcome(await enter(code, freshName(), other.url))).toBe(201);
  expect(outcome(await enter(code, freshName(), other.url))).toBe('forbidden');
});

it('all calls about invitations have been seen with each of their answers', async () => {
  expect(outcome(await visitor.get('/v1/invitations'))).toBe('unauthenticated');
  expect(outcome(await visitor.post('/v1/invitations'))).toBe('unauthenticated');
  expect(outcome(await visitor.delete(`/v1/invitations/${unknownId()}`))).toBe('unauthenticated');
  expect(outcome(await visitor.get(`/v1/invitations/${unknownId()}/uses`))).toBe('unauthenticated');
  expect(outcome(await visitor.get(`/v1/rooms/${unknownId()}/invitations`))).toBe('unauthenticated');
  expect(neverSeen('Invitations')).toEqual([]);
});
