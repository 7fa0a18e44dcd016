import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { register, signIn, type TestPerson, type TestSocket } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

/** Milliseconds in which a decision made at one replica takes effect at the other. */
const AT_ONCE = 1_000;

let here: TestService;
let there: TestService;
let admin: TestPerson;
let owner: TestPerson;
let bob: TestPerson;

beforeAll(async () => {
  here = await startTestService();
  there = await startTestService({ beside: here });
  admin = await signIn(here.url);
  [owner, bob] = [await register(here.url), await register(here.url)];
});
afterAll(async () => {
  await there.stop();
  await here.stop();
});

const at = (room: string, path: string) => `/v1/rooms/${room}/${path}`;

/** Decides something here and waits at the other replica for what comes of it, no longer than is allowed. */
async function soon<T>(decide: () => Promise<unknown>, found: (socket: TestSocket) => T, room: string): Promise<T> {
  const socket = await bob.at(there.url).follow(room);
  await decide();
  try {
    return (await socket.when(() => found(socket) || undefined, AT_ONCE)) as T;
  } finally {
    socket.close();
  }
}
const removed = (socket: TestSocket) => socket.frames.find(({ event }) => event === 'removed')?.data.reason;

describe('at another replica, within a second,', () => {
  it.each([
    ['a removal', (room: string) => owner.delete(at(room, `members/${bob.id}`))],
    ['a ban', (room: string) => owner.put(at(room, `bans/${bob.id}`), { reason: 'Fingerhut' })],
    ['a ban by an administrator', (room: string) => admin.put(at(room, `bans/${bob.id}`))],
  ])('%s ends following, and nothing is told after it', async (_, decide) => {
    const room = await owner.roomWith([bob]);
    const socket = await bob.at(there.url).follow(room);
    await decide(room);
    expect(await socket.when(() => removed(socket), AT_ONCE)).toBe('removed');
    await owner.says(room, 'among ourselves');
    const last = await owner.at(there.url).follow(room, -1);
    await last.when(() => last.events(room).some(({ data }) => data.text === 'among ourselves'));
    for (const after of [undefined, -1, 2])
      expect(await socket.refused('follow', { room, after })).toBe('not_a_member');
    expect(socket.heard.join()).not.toMatch(/among ourselves|Fingerhut/);
    const types = socket.events(room).map(({ type }) => type);
    expect(types.at(-1)).toBe('MemberRemoved');
    last.close();
    socket.close();
  });

  it('a ban is announced to the person banned, and keeps them out', async () => {
    const room = await owner.roomWith([bob]);
    const told = await soon(
      () => owner.put(at(room, `bans/${bob.id}`), { reason: 'Fingerhut' }),
      (socket) => socket.events(room).find(({ type }) => type === 'MemberBanned')?.data,
      room,
    );
    expect(told).toEqual({ userId: bob.id, until: null });
    expect((await bob.at(there.url).post(at(room, 'members'))).body.code).toBe('forbidden');
  });

  it('a mute silences', async () => {
    const room = await owner.roomWith([bob]);
    const until = new Date(Date.now() + 60_000).toISOString();
    const socket = await bob.at(there.url).follow(room);
    await owner.put(at(room, `mutes/${bob.id}`), { until });
    expect(await socket.refused('post', { room, text: 'x' })).toBe('forbidden');
    const told = await socket.when(() => socket.events(room).find(({ type }) => type === 'MemberMuted')?.data, AT_ONCE);
    expect(told).toEqual({ userId: bob.id, until });
    socket.close();
  });

  it('slow mode slows down', async () => {
    const room = await owner.roomWith([bob]);
    await owner.patch(`/v1/rooms/${room}`, { slowModeSeconds: 600 });
    await bob.says(room, 'here');
    const answer = await bob.at(there.url).post(at(room, 'messages'), { text: 'there' });
    expect(answer.body.code).toBe('rate_limited');
  });

  it('a new role shows what it may see', async () => {
    const room = await owner.roomWith([bob]);
    const { id } = await owner.says(room, 'x');
    const guest = await register(here.url);
    await guest.post(at(room, 'members'));
    const socket = await bob.at(there.url).follow(room);
    const seen = () => socket.events(room).map(({ type }) => type);
    const reasons = () => socket.events(room).map(({ data }) => data.reason);
    await owner.patch(at(room, `members/${bob.id}`), { role: 'moderator' });
    await guest.post(at(room, `messages/${id}/reports`), { reason: 'as moderator' });
    await socket.when(() => seen().includes('MessageReported'), AT_ONCE);
    await owner.post(at(room, 'owner'), { userId: bob.id });
    await admin.get(at(room, 'messages'), { 'verbatim-reason': 'as owner' });
    await socket.when(() => reasons().includes('as owner'), AT_ONCE);
    await admin.patch(at(room, `members/${owner.id}`), { role: 'owner' });
    await owner.patch(at(room, `members/${bob.id}`), { role: 'guest' });
    await admin.get(at(room, 'messages'), { 'verbatim-reason': 'as guest' });
    await socket.when(() => seen().at(-1) === 'EventWithheld', AT_ONCE);
    expect(socket.heard.join()).not.toContain('as guest');
    expect(await socket.refused('post', { room, text: 'x' })).toBe('forbidden');
    socket.close();
  });

  it('the role of auditor takes away the right to change anything', async () => {
    const person = await register(here.url);
    const room = await owner.roomWith([person]);
    const socket = await person.at(there.url).follow(room);
    await admin.patch(`/v1/users/${person.id}`, { role: 'auditor' });
    const end = Date.now() + AT_ONCE;
    let code = '';
    while (code !== 'forbidden' && Date.now() < end) code = await socket.refused('post', { room, text: 'x' });
    expect(code).toBe('forbidden');
    socket.close();
  });
});
