import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { neverSeen, outcome } from '../../tests/harness/contract.testing.js';
import {
  because,
  register,
  signIn,
  type TestPerson,
  unknownId,
  Visitor,
} from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

let service: TestService;
/** Milliseconds by which the clock of the service is ahead. */
let ahead = 0;
let admin: TestPerson;
let auditor: TestPerson;
let owner: TestPerson;
let moderator: TestPerson;
let member: TestPerson;
let outsider: TestPerson;

beforeAll(async () => {
  service = await startTestService({ clock: () => new Date(Date.now() + ahead) });
  admin = await signIn(service.url);
  [auditor, owner, moderator] = [await register(service.url), await register(service.url), await register(service.url)];
  [member, outsider] = [await register(service.url), await register(service.url)];
  await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
});
afterAll(() => service.stop());

/** A room with an owner, a moderator and a member. */
const newRoom = (settings: object = {}) => owner.roomWith([[moderator, 'moderator'], member], settings);
const at = (room: string, path: string) => `/v1/rooms/${room}/${path}`;
const inSeconds = (seconds: number) => new Date(Date.now() + ahead + seconds * 1_000).toISOString();
const passing = (seconds: number) => {
  ahead += seconds * 1_000;
};
const post = async (person: TestPerson, room: string) =>
  outcome(await person.post(at(room, 'messages'), { text: 'x' }));
const join = async (person: TestPerson, room: string, body: object = {}) =>
  outcome(await person.post(at(room, 'members'), body));
const membersOf = async (room: string) => (await owner.all(at(room, 'members'))).map(({ userId }) => userId);

describe('a ban', () => {
  it('removes a member, who cannot come back in any way', async () => {
    const room = await newRoom({ password: 'sesame' });
    const ban = at(room, `bans/${member.id}`);
    expect(outcome(await moderator.put(ban, { reason: 'spam' }))).toBe(204);
    expect(outcome(await moderator.put(ban, { reason: 'spam' }))).toBe(204);
    expect(await membersOf(room)).toEqual([owner.id, moderator.id]);
    expect(await post(member, room)).toBe('not_a_member');
    expect(await join(member, room, { password: 'sesame' })).toBe('forbidden');
    const socket = await member.connect();
    expect(await socket.refused('join', { room, password: 'sesame' })).toBe('forbidden');
    socket.close();
    for (const person of [owner, admin]) expect(await join(person, room, { userId: member.id })).toBe('conflict');

    expect(outcome(await moderator.delete(ban))).toBe(204);
    expect(outcome(await moderator.delete(ban))).toBe(204);
    expect(await join(member, room, { password: 'sesame' })).toBe(201);
  });

  it('ends at its time', async () => {
    const room = await newRoom();
    await owner.put(at(room, `bans/${member.id}`), { until: inSeconds(30) });
    expect(await join(member, room)).toBe('forbidden');
    passing(31);
    expect(await join(member, room)).toBe(201);
    expect((await owner.get(at(room, 'bans'))).body.items).toEqual([]);
  });

  it('is listed with who, why, and until when', async () => {
    const room = await newRoom();
    const until = inSeconds(60);
    await moderator.put(at(room, `bans/${member.id}`), { reason: 'Grüße', until });
    await owner.put(at(room, `bans/${outsider.id}`));

    const bans = await moderator.all(at(room, 'bans'), 1);

    expect(bans).toEqual([
      {
        user: { id: outsider.id, username: outsider.username },
        until: null,
        reason: null,
        by: { id: owner.id, username: owner.username },
        at: expect.any(String),
      },
      {
        user: { id: member.id, username: member.username },
        until,
        reason: 'Grüße',
        by: { id: moderator.id, username: moderator.username },
        at: expect.any(String),
      },
    ]);
    for (const person of [admin, auditor]) {
      expect(outcome(await person.get(at(room, 'bans')))).toBe('reason_required');
      expect((await person.get(at(room, 'bans'), because())).body.items).toHaveLength(2);
    }
    expect(outcome(await member.get(at(room, 'bans')))).toBe('not_a_member');
    expect(outcome(await new Visitor(service.url).get(at(room, 'bans')))).toBe('unauthenticated');
    expect(outcome(await outsider.get(at(unknownId(), 'bans')))).toBe('not_found');
    await owner.delete(at(room, `bans/${member.id}`));
    await join(member, room);
    expect(outcome(await member.get(at(room, 'bans')))).toBe('forbidden');
  });

  it.each(['2001-01-01T00:00:00Z', 'tomorrow', 7, '2026-13-01T00:00:00Z'])('cannot end at %j', async (until) => {
    const room = await newRoom();
    expect(outcome(await owner.put(at(room, `bans/${member.id}`), { until }))).toBe('invalid_request');
    expect(outcome(await owner.put(at(room, `mutes/${member.id}`), { until }))).toBe('invalid_request');
  });
});

describe('a mute', () => {
  it('keeps a member from speaking, for a time, whatever the door', async () => {
    const room = await newRoom();
    const { id } = await member.says(room, 'before');
    const until = inSeconds(30);
    expect(outcome(await moderator.put(at(room, `mutes/${member.id}`), { until, reason: 'loud' }))).toBe(204);

    const shown = async () => (await owner.all(at(room, 'members'))).map(({ mutedUntil }) => mutedUntil);
    expect(await shown()).toEqual([null, null, until]);
    expect(await post(member, room)).toBe('forbidden');
    expect(outcome(await member.patch(at(room, `messages/${id}`), { text: 'y' }))).toBe('forbidden');
    expect(outcome(await member.put(at(room, `messages/${id}/reactions/%F0%9F%91%8D`)))).toBe('forbidden');
    const socket = await member.connect();
    expect(await socket.refused('post', { room, text: 'x' })).toBe('forbidden');
    socket.close();
    expect(outcome(await member.get(at(room, 'messages')))).toBe(200);

    await member.delete(at(room, 'members/me'));
    const back = await member.post(at(room, 'members'));
    expect(back.body.mutedUntil).toBe(until);
    expect(await post(member, room)).toBe('forbidden');
    passing(31);
    expect(await post(member, room)).toBe(201);
    expect(await shown()).toEqual([null, null, null]);
  });

  it('is lifted', async () => {
    const room = await newRoom();
    const mute = at(room, `mutes/${member.id}`);
    await owner.put(mute, { until: inSeconds(60) });
    for (let i = 0; i < 2; i++) expect(outcome(await moderator.delete(mute))).toBe(204);
    expect(await post(member, room)).toBe(201);
  });
});

describe('slow mode', () => {
  it('has members wait, and says how long', async () => {
    const room = await newRoom();
    expect((await owner.patch(`/v1/rooms/${room}`, { slowModeSeconds: 100 })).body.slowModeSeconds).toBe(100);
    expect((await member.get(`/v1/rooms/${room}`)).body.slowModeSeconds).toBe(100);
    expect(await post(member, room)).toBe(201);
    const early = await member.post(at(room, 'messages'), { text: 'y' });
    expect(outcome(early)).toBe('rate_limited');
    expect(Number(early.headers['retry-after'])).toBeGreaterThan(80);
    expect(Number(early.headers['retry-after'])).toBeLessThanOrEqual(100);
    const socket = await member.connect();
    const { event, data } = await socket.ask('post', { room, text: 'y' });
    expect([event, data.code, data.retryable]).toEqual(['error', 'rate_limited', true]);
    expect(data.retryAfterMs).toBeGreaterThan(80_000);
    socket.close();
    for (const person of [owner, moderator]) for (let i = 0; i < 2; i++) expect(await post(person, room)).toBe(201);

    passing(101);
    expect(await post(member, room)).toBe(201);
    await owner.patch(`/v1/rooms/${room}`, { slowModeSeconds: 0 });
    expect(await post(member, room)).toBe(201);
  });

  it('can be set by owners, up to an hour', async () => {
    const room = await newRoom();
    for (const slowModeSeconds of [-1, 0.5, 3_601, '5', null])
      expect(outcome(await owner.patch(`/v1/rooms/${room}`, { slowModeSeconds }))).toBe('invalid_request');
    expect(outcome(await moderator.patch(`/v1/rooms/${room}`, { slowModeSeconds: 5 }))).toBe('forbidden');
  });
});

describe('a room', () => {
  const roleOf = async (room: string, person: TestPerson) =>
    (await admin.all(at(room, 'members'))).find(({ userId }) => userId === person.id)?.role;

  it('can be transferred to another owner', async () => {
    const room = await newRoom();
    const given = await owner.post(at(room, 'owner'), { userId: member.id });
    expect([given.status, given.body.userId, given.body.role]).toEqual([200, member.id, 'owner']);
    expect(await roleOf(room, owner)).toBe('moderator');
    expect(outcome(await owner.post(at(room, 'owner'), { userId: owner.id }))).toBe('forbidden');
    expect(outcome(await member.post(at(room, 'owner'), { userId: member.id }))).toBe('invalid_request');
  });

  it('always has an owner', async () => {
    const room = await newRoom();
    const leaving = await owner.delete(at(room, 'members/me'));
    expect(outcome(leaving)).toBe('conflict');
    expect(leaving.body.detail).toMatch(/successor/);
    const socket = await owner.connect();
    expect(await socket.refused('leave', { room })).toBe('conflict');
    socket.close();
    expect(outcome(await owner.patch(at(room, `members/${owner.id}`), { role: 'member' }))).toBe('conflict');
    expect(outcome(await admin.delete(at(room, `members/${owner.id}`)))).toBe('conflict');
    expect(outcome(await admin.put(at(room, `bans/${owner.id}`)))).toBe('conflict');
    expect(outcome(await owner.delete(at(room, 'members/me'), { successor: outsider.id }))).toBe('not_found');

    expect(outcome(await owner.delete(at(room, 'members/me'), { successor: member.id }))).toBe(204);
    expect(await roleOf(room, member)).toBe('owner');
    expect(await roleOf(room, owner)).toBeUndefined();
    expect(outcome(await admin.delete(at(room, `members/${member.id}`), { successor: moderator.id }))).toBe(204);
    expect(await roleOf(room, moderator)).toBe('owner');
    await moderator.post(at(room, 'close'));
    expect(outcome(await moderator.delete(at(room, 'members/me')))).toBe(204);
  });
});

describe('a report', () => {
  const report = (person: TestPerson, room: string, messageId: string, reason: unknown = 'rude') =>
    person.post(at(room, `messages/${messageId}/reports`), { reason });

  it('stays open until a moderator settles it', async () => {
    const room = await newRoom();
    const message = await moderator.says(room, 'Unsinn');
    const made = await report(member, room, message.id, 'unhöflich');
    const expected = {
      id: made.body.id,
      roomId: room,
      messageId: message.id,
      messageRevision: message.revision,
      author: { id: moderator.id, username: moderator.username },
      reporter: { id: member.id, username: member.username },
      reason: 'unhöflich',
      reportedAt: expect.any(String),
      status: 'open',
      settledBy: null,
      settledAt: null,
      outcome: null,
      note: null,
    };
    expect([made.status, made.body]).toEqual([201, expected]);
    const again = await report(member, room, message.id, 'again');
    expect([again.status, again.body]).toEqual([200, made.body]);

    for (const person of [owner, moderator]) expect(await person.all(at(room, 'reports'))).toEqual([made.body]);
    for (const person of [admin, auditor]) {
      expect(outcome(await person.get(at(room, 'reports')))).toBe('reason_required');
      expect(await person.all(at(room, 'reports'), 200, because())).toEqual([made.body]);
      expect((await person.all('/v1/reports')).at(-1)).toEqual(made.body);
    }

    const settling = at(room, `reports/${made.body.id}/settle`);
    const settled = await owner.post(settling, { outcome: 'acted', note: 'verwarnt' });
    const done = { status: 'settled', outcome: 'acted', note: 'verwarnt', settledAt: expect.any(String) };
    const settledBy = { id: owner.id, username: owner.username };
    expect([settled.status, settled.body]).toEqual([200, { ...expected, ...done, settledBy }]);
    expect(outcome(await owner.post(settling, { outcome: 'acted' }))).toBe('not_found');
    expect(await owner.all(at(room, 'reports'))).toEqual([]);
    expect(await owner.all(at(room, 'reports?status=settled'))).toEqual([settled.body]);
    expect((await report(member, room, message.id)).status).toBe(201);
  });

  it('is listed page by page, in direct and closed rooms too', async () => {
    const direct = (await member.put(`/v1/direct/${outsider.username}`)).body.id;
    const whisper = await outsider.says(direct, 'psst');
    const room = await newRoom();
    const said = [await owner.says(room, 'one'), await owner.says(room, 'two'), await owner.says(room, 'three')];
    await owner.post(at(room, 'close'));
    expect((await report(member, direct, whisper.id)).status).toBe(201);
    for (const { id } of said) expect((await report(member, room, id)).status).toBe(201);

    const reported = (reports: { messageId: string }[]) => reports.map(({ messageId }) => messageId);
    expect(reported(await owner.all(at(room, 'reports'), 1))).toEqual(said.map(({ id }) => id));
    expect(reported(await admin.all('/v1/reports', 2)).slice(-4)).toEqual([whisper.id, ...said.map(({ id }) => id)]);
    expect(outcome(await member.get(at(direct, 'reports')))).toBe('forbidden');
    const [open] = await admin.all(at(direct, 'reports'), 200, because());
    const settling = at(direct, `reports/${open.id}/settle`);
    expect(outcome(await member.post(settling, { outcome: 'dismissed' }))).toBe('forbidden');
    expect(outcome(await admin.post(settling, { outcome: 'dismissed' }))).toBe(200);
  });

  it('requires an existing message and a reason', async () => {
    const room = await newRoom();
    const { id } = await owner.says(room, 'x');
    for (const reason of ['', ' ', null, 7, 'x'.repeat(501)])
      expect(outcome(await report(member, room, id, reason))).toBe('invalid_request');
    expect(outcome(await report(owner, room, id))).toBe('forbidden');
    expect(outcome(await report(member, room, unknownId()))).toBe('not_found');
    await owner.delete(at(room, `messages/${id}`));
    expect(outcome(await report(member, room, id))).toBe('conflict');
    for (const status of ['x', 'all'])
      expect(outcome(await owner.get(at(room, `reports?status=${status}`)))).toBe('invalid_request');
  });

  it('is not visible to other members', async () => {
    const room = await newRoom();
    const { id } = await owner.says(room, 'x');
    await report(member, room, id, 'Fingerhut');
    await join(outsider, room);
    const told = [await outsider.get(at(room, 'events')), await outsider.get(at(room, 'messages'))];
    for (const { text } of told) expect(text).not.toMatch(/Fingerhut|MessageReported/);
    expect(told[0]?.text).not.toContain(`"actor":{"id":"${member.id}","username":"${member.username}"},"data":{}`);
    const socket = await outsider.follow(room, -1);
    await socket.when(() => socket.events(room).some(({ type }) => type === 'EventWithheld'));
    expect(socket.heard.join()).not.toMatch(/Fingerhut|MessageReported/);
    socket.close();
    expect((await moderator.get(at(room, 'events'))).text).toContain('Fingerhut');
  });
});

describe('moderating', () => {
  /** Every call on something that is there, but for the path; each with the body that it takes. */
  const calls = (reportId: string, messageId: string): [Parameters<TestPerson['send']>[0], string, object?][] => [
    ['get', 'bans'],
    ['put', `bans/${member.id}`, {}],
    ['delete', `bans/${member.id}`],
    ['put', `mutes/${member.id}`, { until: inSeconds(60) }],
    ['delete', `mutes/${member.id}`],
    ['post', 'owner', { userId: member.id }],
    ['post', `messages/${messageId}/reports`, { reason: 'x' }],
    ['get', 'reports'],
    ['post', `reports/${reportId}/settle`, { outcome: 'acted' }],
  ];
  const outcomes = (who: Visitor, room: string, ids: [string, string]) =>
    Promise.all(
      calls(...ids).map(async ([method, path, body]) => outcome(await who.send(method, at(room, path), body))),
    );
  const all = (what: string) => Array(9).fill(what);

  it('is refused to members without the right', async () => {
    const [room, hidden] = [await newRoom(), await owner.room({ visibility: 'hidden' })];
    const { id } = await member.says(room, 'x');
    const reported = await moderator.post(at(room, `messages/${id}/reports`), { reason: 'x' });
    const ids: [string, string] = [reported.body.id, id];
    expect(await outcomes(new Visitor(service.url), room, ids)).toEqual(all('unauthenticated'));
    expect(await outcomes(outsider, room, ids)).toEqual(all('not_a_member'));
    expect(await outcomes(outsider, hidden, ids)).toEqual(all('not_found'));
    expect(await outcomes(outsider, unknownId(), ids)).toEqual(all('not_found'));
    expect(await outcomes(member, room, ids)).toEqual(all('forbidden'));
    const asAuditor = await outcomes(auditor, room, ids);
    expect(asAuditor.filter((code) => code !== 'forbidden')).toEqual(['reason_required', 'reason_required']);
    for (const person of [owner, outsider, member]) expect(outcome(await person.get('/v1/reports'))).toBe('forbidden');
    expect(outcome(await new Visitor(service.url).get('/v1/reports'))).toBe('unauthenticated');
  });

  it('refuses people who do not exist', async () => {
    const room = await newRoom();
    for (const [method, path, body] of calls('', '').slice(1, 6)) {
      const to = path.replace(member.id, unknownId());
      const asked = path === 'owner' ? { userId: unknownId() } : body;
      expect([path, outcome(await owner.send(method, at(room, to), asked))]).toEqual([path, 'not_found']);
    }
    expect(outcome(await owner.put(at(room, `mutes/${outsider.id}`), { until: inSeconds(60) }))).toBe('not_found');
    expect(outcome(await owner.post(at(room, `reports/${unknownId()}/settle`), { outcome: 'acted' }))).toBe(
      'not_found',
    );
  });

  it('ends with the room, except for reports', async () => {
    const room = await newRoom();
    const { id } = await owner.says(room, 'x');
    await owner.post(at(room, 'close'));
    const open = await member.post(at(room, `messages/${id}/reports`), { reason: 'x' });
    const codes = await outcomes(owner, room, [open.body.id, id]);
    expect(codes).toEqual([200, ...Array(5).fill('room_closed'), 'forbidden', 200, 200]);
  });

  it('does not reach people of higher roles', async () => {
    const room = await newRoom();
    for (const person of [owner, moderator]) {
      expect(outcome(await moderator.put(at(room, `bans/${person.id}`)))).toBe('forbidden');
      expect(outcome(await moderator.put(at(room, `mutes/${person.id}`), { until: inSeconds(9) }))).toBe('forbidden');
    }
  });
});

it('all calls of moderation have been seen with each of their answers', () => {
  expect(neverSeen('Moderation')).toEqual([]);
});
