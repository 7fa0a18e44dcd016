import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { neverSeen, outcome } from '../../tests/harness/contract.testing.js';
import {
  because,
  eventually,
  register,
  signIn,
  type TestPerson,
  unknownId,
  Visitor,
} from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

let service: TestService;
let admin: TestPerson;
let ada: TestPerson;
let bob: TestPerson;
let cem: TestPerson;

beforeAll(async () => {
  service = await startTestService();
  admin = await signIn(service.url);
  [ada, bob, cem] = [await register(service.url), await register(service.url), await register(service.url)];
});
afterAll(() => service.stop());

const eventsOf = (person: TestPerson, room: string) => person.all(`/v1/rooms/${room}/events`, 200, because());

describe('the events of a room', () => {
  it('show everything that happened, in order, and who did it', async () => {
    const room = await ada.roomWith([bob, [cem, 'guest']], { name: `Küche ${unknownId()}`, topic: 'Essen' });
    const at = (path: string) => `/v1/rooms/${room}${path}`;
    const { id } = await bob.says(room, 'Suppe');
    const reply = await ada.says(room, 'Salz', { replyTo: id });
    await bob.patch(at(`/messages/${id}`), { text: 'Eintopf' });
    await cem.put(at(`/messages/${id}/reactions/%F0%9F%91%8D`)); // A guest only reads, so this leaves no event.
    await ada.put(at(`/messages/${id}/reactions/${encodeURIComponent('🍲')}`));
    await ada.delete(at(`/messages/${id}/reactions/${encodeURIComponent('🍲')}`));
    await ada.delete(at(`/messages/${reply.id}`), { reason: 'versalzen' });
    await ada.patch(at(`/members/${cem.id}`), { role: 'member' });
    await ada.delete(at(`/members/${cem.id}`));
    await bob.delete(at('/members/me'));
    await ada.patch(at(''), { topic: 'Abwasch', password: 'Spüli' });
    await ada.post(at('/close'), { reason: 'satt' });

    const events = await eventsOf(ada, room);

    const by = (person: TestPerson) => ({ id: person.id, username: person.username });
    const told = events.map(({ type, actor, data }) => [type, actor.username, data]);
    expect(told).toEqual([
      [
        'RoomCreated',
        ada.username,
        { name: expect.stringContaining('Küche'), topic: 'Essen', visibility: 'public', history: 'full' },
      ],
      ['MemberJoined', ada.username, { userId: ada.id, role: 'owner' }],
      ['MemberJoined', ada.username, { userId: bob.id, role: 'member' }],
      ['MemberJoined', ada.username, { userId: cem.id, role: 'guest' }],
      ['MessagePosted', bob.username, { messageId: id, text: null, replyTo: null, kind: 'text' }],
      ['MessagePosted', ada.username, { messageId: reply.id, text: null, replyTo: id, kind: 'text' }],
      ['MessageEdited', bob.username, { messageId: id, text: 'Eintopf' }],
      ['ReactionAdded', ada.username, { messageId: id, emoji: '🍲' }],
      ['ReactionRemoved', ada.username, { messageId: id, emoji: '🍲' }],
      ['MessageRedacted', ada.username, { messageId: reply.id, authorId: ada.id, reason: 'versalzen' }],
      ['MemberRoleChanged', ada.username, { userId: cem.id, role: 'member' }],
      ['MemberRemoved', ada.username, { userId: cem.id, reason: null }],
      ['MemberLeft', bob.username, { userId: bob.id }],
      ['RoomChanged', ada.username, { topic: 'Abwasch' }],
      ['ChatClosed', ada.username, { reason: 'satt' }],
    ]);
    expect(events.map(({ revision }) => revision)).toEqual(events.map((_, i) => i));
    expect(new Set(events.map(({ stream }) => stream))).toEqual(new Set([`room-${room}`]));
    expect(new Set(events.map((event) => event.id)).size).toBe(events.length);
    expect(events[4].actor).toEqual(by(bob));
    for (const [i, event] of events.slice(1).entries()) {
      expect(event.position).toBeGreaterThan(events[i].position);
      expect(event.at >= events[i].at).toBe(true);
    }
  });

  it('come page by page, and from any revision on', async () => {
    const room = await ada.room();
    for (let i = 0; i < 5; i++) await ada.says(room, `message ${i}`);
    const all = await eventsOf(ada, room);
    const path = `/v1/rooms/${room}/events`;

    expect(all).toHaveLength(7);
    for (const limit of [1, 3, 7]) expect(await ada.all(path, limit)).toEqual(all);
    expect(await ada.all(`${path}?from=4`, 2)).toEqual(all.slice(4));
    expect(await ada.all(`${path}?from=7`)).toEqual([]);
    for (const query of ['from=-1', 'from=x', 'limit=0', 'cursor=invented', 'cursor=ZXZlbnRzOi0x'])
      expect(outcome(await ada.get(`${path}?${query}`))).toBe('invalid_request');
  });

  it('are for those who may read the room', async () => {
    const [open, hidden] = [await ada.room(), await ada.room({ visibility: 'hidden' })];
    const ask = async (person: Visitor, room: string) => outcome(await person.get(`/v1/rooms/${room}/events`));
    expect(await ask(bob, open)).toBe('not_a_member');
    expect(await ask(bob, hidden)).toBe('not_found');
    expect(await ask(bob, unknownId())).toBe('not_found');
    expect(await ask(bob, 'main')).toBe('invalid_request');
    expect(await ask(new Visitor(service.url), open)).toBe('unauthenticated');
    expect(await ask(admin, hidden)).toBe('reason_required');
    expect(outcome(await admin.get(`/v1/rooms/${hidden}/events`, because()))).toBe(200);
  });

  it('begin with the joining where the room’s history does', async () => {
    const room = await ada.room({ visibility: 'private', history: 'joined' });
    await ada.says(room, 'before');
    await ada.post(`/v1/rooms/${room}/members`, { userId: bob.id });
    await ada.says(room, 'after');

    expect((await eventsOf(bob, room)).map(({ revision }) => revision)).toEqual([3, 4]);
    expect((await bob.get(`/v1/rooms/${room}/events?from=0&limit=1`)).body.items[0].revision).toBe(3);
    expect((await eventsOf(ada, room)).map(({ revision }) => revision)).toEqual([0, 1, 2, 3, 4]);
    // That the administrator reads is an event itself.
    expect((await eventsOf(admin, room)).map(({ revision }) => revision)).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('what is stored', () => {
  const secrets = ['Teekesselchen', 'Hinterzimmer', 'Geheimnis', 'Plapperei', 'Schluss'];
  let room: string;
  beforeAll(async () => {
    const [text, name, topic, reason, end] = secrets;
    room = await ada.roomWith([bob], { name: `${name} ${unknownId()}`, topic });
    const { id } = await bob.says(room, `${text} \u2028 "\\ \u007f 👋 é`);
    await bob.patch(`/v1/rooms/${room}/messages/${id}`, { text: `${text}, die zweite` });
    await bob.delete(`/v1/rooms/${room}/messages/${id}`, { reason });
    await ada.patch(`/v1/rooms/${room}`, { topic: `${topic}, noch eins` });
    await ada.put(
      `/v1/rooms/${room}/messages/${(await ada.says(room, text!)).id}/reactions/${encodeURIComponent('👋🏽')}`,
    );
    await ada.post(`/v1/rooms/${room}/close`, { reason: end });
  });

  it('holds nothing personal in the open', async () => {
    for (const { sealed } of await eventsOf(admin, room))
      for (const secret of secrets) expect(sealed).not.toContain(secret);
  });

  it('is hashed: SHA-256 of its UTF-8 bytes', async () => {
    for (const { sealed, hash } of await eventsOf(ada, room))
      expect(createHash('sha256').update(sealed, 'utf8').digest('hex')).toBe(hash);
  });

  it('is chained: each event names the hash of the one before', async () => {
    const events = await eventsOf(bob, room);
    expect(events.map(({ prev }) => prev)).toEqual([null, ...events.slice(0, -1).map(({ hash }) => hash)]);
  });

  it('is in the canonical form of RFC 8785', async () => {
    for (const { sealed } of await eventsOf(ada, room)) expect(canonical(JSON.parse(sealed))).toBe(sealed);
  });

  it('agrees with what is shown beside it, for every reader', async () => {
    const [openly, all] = [await eventsOf(admin, room), await eventsOf(bob, room)];
    const told = all.filter(({ sealed }) => sealed !== null);
    expect(all.length - told.length).toBe(1);
    for (const [i, event] of told.entries()) {
      const { id, stream, revision, type, at, prev, actor } = event;
      expect(JSON.parse(event.sealed)).toMatchObject({ id, stream, revision, type, at, prev, actor: actor.id });
      expect({ ...openly[i], data: null }).toEqual({ ...event, data: null });
    }
  });

  /** RFC 8785 once more, written from the text of the RFC. */
  function canonical(value: unknown): string {
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    if (Array.isArray(value)) return `[${value.map(canonical)}]`;
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`)}}`;
  }
});

describe('a text that was edited or redacted', () => {
  const [edited, redacted, twice] = ['Quittengelee', 'Zwetschgenmus', 'Hagebuttentee'] as const;
  const reason = 'Obstverbot';
  let room: string;
  let auditor: TestPerson;
  beforeAll(async () => {
    room = await ada.roomWith([bob, [cem, 'moderator']]);
    const [one, two, three] = [
      await bob.says(room, edited),
      await bob.says(room, redacted),
      await bob.says(room, twice),
    ];
    const at = (id: string) => `/v1/rooms/${room}/messages/${id}`;
    await bob.patch(at(one.id), { text: 'what stays' });
    await cem.delete(at(two.id), { reason });
    await bob.patch(at(three.id), { text: `${twice} with milk` });
    await bob.delete(at(three.id));
    auditor = await register(service.url);
    await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
    await eventually(
      async () => (await bob.get(`/v1/search?q=what+stays&room=${room}`)).body.items.length,
      (found) => found === 1,
    );
  });

  /** Every byte that the service gives to somebody who asks for all there is about the room. */
  async function allThatIsTold(person: TestPerson): Promise<string> {
    const lists = ['events', 'messages', 'messages?order=oldest', 'members', ''].map(
      (list) => `/v1/rooms/${room}/${list}`,
    );
    const words = [edited, redacted, twice, 'what', 'milk'].map((word) => `/v1/search?q=${word}&room=${room}`);
    const paths = [...lists.map((path) => path.replace(/\/$/, '')), ...words, '/v1/inbox', '/v1/rooms', '/v1/users'];
    const answers = await Promise.all(paths.map((path) => person.get(path, because())));
    const socket = await person.follow(room, -1, 'Ticket 7');
    const last = (await person.get(`/v1/rooms/${room}`)).body.revision;
    await socket.when(() => (socket.events(room).at(-1)?.revision ?? -1) >= last);
    socket.close();
    return [...answers.map(({ text }) => text), ...socket.heard].join('\n');
  }

  it('reaches no member any more, in no frame and no answer', async () => {
    for (const person of [bob, cem, ada]) {
      const told = await allThatIsTold(person);
      expect(told).toContain('what stays');
      for (const gone of [edited, redacted, twice]) expect(told).not.toContain(gone);
    }
  });

  it('is there for administrators and auditors', async () => {
    for (const person of [admin, auditor]) {
      const texts = (await eventsOf(person, room)).map(({ data }) => data.text).filter((text) => text !== undefined);
      expect(texts).toEqual([edited, redacted, twice, 'what stays', `${twice} with milk`]);
      const told = await allThatIsTold(person);
      for (const gone of [edited, redacted, twice]) expect(told).toContain(gone);
    }
  });

  it('was taken away for a reason that those who moderate may know', async () => {
    expect(await allThatIsTold(bob)).not.toContain(reason);
    for (const person of [ada, cem, admin]) expect(await allThatIsTold(person)).toContain(reason);
  });
});

describe('the password of a room', () => {
  it('is in no event and no answer', async () => {
    const password = 'Holunderblüte';
    const room = await ada.roomWith([bob], { password });
    await ada.patch(`/v1/rooms/${room}`, { password: `${password} 2` });
    for (const person of [bob, ada, admin]) {
      const answers = [await person.get(`/v1/rooms/${room}/events`, because()), await person.get(`/v1/rooms/${room}`)];
      for (const { text } of answers) expect(text).not.toContain(password);
    }
  });
});

describe('an auditor', () => {
  it('reads every room and changes nothing', async () => {
    const auditor = await register(service.url);
    const room = await ada.room({ visibility: 'hidden' });
    const { id } = await ada.says(room, 'confidential');
    await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });

    expect((await eventsOf(auditor, room)).at(-2).data.text).toBe('confidential');
    expect(outcome(await auditor.post(`/v1/rooms/${room}/messages`, { text: 'x' }))).toBe('forbidden');
    expect(outcome(await auditor.delete(`/v1/rooms/${room}/messages/${id}`))).toBe('forbidden');
    expect(outcome(await auditor.patch(`/v1/users/${ada.id}`, { suspended: true }))).toBe('forbidden');
  });
});

describe('the events of an account', () => {
  it('show its holder, administrators and auditors what became of it, and by whom', async () => {
    const dora = await register(service.url);
    await dora.patch('/v1/me', { displayName: 'Theodora' });
    await admin.patch(`/v1/users/${dora.id}`, { role: 'auditor' });
    const own = await dora.all('/v1/me/events', 2);

    expect(own.map(({ type, actor }) => [type, actor?.username ?? null])).toEqual([
      ['UserRegistered', null],
      ['SessionStarted', null],
      ['UserChanged', dora.username],
      ['UserRoleChanged', admin.username],
    ]);
    expect(own[0].data).toMatchObject({ username: dora.username, origin: 'registration' });
    expect(own[1].data).toMatchObject({ how: 'registration', sessionId: expect.any(String) });
    for (const { sealed, hash, stream } of own) {
      expect(createHash('sha256').update(sealed, 'utf8').digest('hex')).toBe(hash);
      expect(sealed).not.toContain('Theodora');
      expect(stream).toBe(`user-${dora.id}`);
    }
    expect(own.map(({ prev }) => prev)).toEqual([null, ...own.slice(0, -1).map(({ hash }) => hash)]);
    for (const reader of [admin, dora]) expect(await reader.all(`/v1/users/${dora.id}/events`, 3)).toEqual(own);
    expect(await dora.all('/v1/me/events?from=2')).toEqual(own.slice(2));
  });

  it('are for nobody else', async () => {
    expect(outcome(await bob.get(`/v1/users/${ada.id}/events`))).toBe('forbidden');
    expect(outcome(await bob.get(`/v1/users/${bob.id}/events`))).toBe('forbidden');
    expect(outcome(await admin.get(`/v1/users/${unknownId()}/events`))).toBe('not_found');
    for (const path of ['/v1/me/events', `/v1/users/${ada.id}/events`])
      expect(outcome(await new Visitor(service.url).get(path))).toBe('unauthenticated');
  });
});

it('all calls of events have been seen with each of their answers', () => {
  expect(neverSeen('Events')).toEqual([]);
});
