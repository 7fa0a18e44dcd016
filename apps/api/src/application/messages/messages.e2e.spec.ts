import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { neverSeen, outcome } from '../../tests/harness/contract.testing.js';
import {
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
/** A room of Ada's in which Bob and Cem are. */
let room: string;
let messages: string;

beforeAll(async () => {
  service = await startTestService();
  admin = await signIn(service.url);
  [ada, bob, cem] = [await register(service.url), await register(service.url), await register(service.url)];
  room = await ada.roomWith([bob, cem]);
  messages = `/v1/rooms/${room}/messages`;
});
afterAll(() => service.stop());

const textsOf = (items: { text: string | null }[]) => items.map(({ text }) => text);

describe('posting', () => {
  it('stores the message and shows it unchanged', async () => {
    const answer = await ada.post(messages, { text: ' Grüße, 世界 👋\n\tund mehr ' });

    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      roomId: room,
      author: { id: ada.id, username: ada.username, displayName: ada.username },
      kind: 'text',
      text: ' Grüße, 世界 👋\n\tund mehr ',
      replyTo: null,
      editedAt: null,
      redactedAt: null,
      reactions: [],
    });
    const [newest] = (await bob.get(`${messages}?limit=1`)).body.items;
    expect(newest).toEqual(answer.body);
    expect(Math.abs(Date.parse(newest.postedAt) - Date.now())).toBeLessThan(60_000);
  });

  it('normalizes texts to NFC before it counts code points', async () => {
    expect((await ada.says(room, 'u\u0308')).text).toBe('\u00fc');
    expect((await ada.says(room, '👋'.repeat(8_000))).text).toBe('👋'.repeat(8_000));
    expect((await ada.says(room, 'u\u0308'.repeat(8_000))).text).toBe('\u00fc'.repeat(8_000));
    expect(outcome(await ada.post(messages, { text: '👋'.repeat(8_001) }))).toBe('invalid_request');
  });

  it.each([
    ['no text', {}, 'body.text'],
    ['an empty text', { text: '' }, 'body.text'],
    ['a text that is none', { text: 7 }, 'body.text'],
    ['NUL', { text: 'a\u0000b' }, 'body.text'],
    ['a lone surrogate', { text: 'a\ud800b' }, 'body.text'],
    ['an id that is no UUID', { text: 'x', id: '1' }, 'body.id'],
    ['a reply to what is no UUID', { text: 'x', replyTo: '1' }, 'body.replyTo'],
  ])('refuses %s', async (_, body, path) => {
    const answer = await ada.post(messages, body);
    expect(outcome(answer)).toBe('invalid_request');
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toEqual([path]);
  });

  it('keeps the order of one person’s posts', async () => {
    const own = await ada.room();
    const texts = Array.from({ length: 10 }, (_, i) => `message ${i}`);
    for (const text of texts) await ada.says(own, text);
    const items = await ada.all(`/v1/rooms/${own}/messages?order=oldest`);
    expect(textsOf(items)).toEqual(texts);
    expect(items.map(({ revision }) => revision)).toEqual(texts.map((_, i) => i + 2));
  });
});

describe('a message id of one’s own', () => {
  it('makes repeated posts harmless', async () => {
    const id = randomUUID();
    const first = await ada.post(messages, { id, text: 'once' });
    const again = await ada.post(messages, { id: id.toUpperCase(), text: 'once', replyTo: null });

    expect([first.status, again.status]).toEqual([201, 200]);
    expect(first.body.id).toBe(id);
    expect(again.body).toEqual(first.body);
    const found = await ada.all(messages);
    expect(found.filter((message) => message.id === id)).toHaveLength(1);
  });

  it('cannot be reused for another text, another author, another reply', async () => {
    const { id } = await ada.says(room, 'first', { id: randomUUID() });
    expect(outcome(await ada.post(messages, { id, text: 'second' }))).toBe('duplicate_id');
    expect(outcome(await bob.post(messages, { id, text: 'first' }))).toBe('duplicate_id');
    const other = await ada.says(room, 'other');
    expect(outcome(await ada.post(messages, { id, text: 'first', replyTo: other.id }))).toBe('duplicate_id');
  });

  it('can be used again in another room', async () => {
    const id = randomUUID();
    await ada.says(room, 'here', { id });
    expect((await ada.says(await ada.room(), 'there', { id })).text).toBe('there');
  });

  it('returns the first post even after an edit, and never a redacted text', async () => {
    const id = randomUUID();
    await ada.says(room, 'first', { id });
    await ada.patch(`${messages}/${id}`, { text: 'changed' });
    const edited = await ada.post(messages, { id, text: 'first' });
    expect([edited.status, edited.body.text]).toEqual([200, 'changed']);

    await ada.delete(`${messages}/${id}`);
    const redacted = await ada.post(messages, { id, text: 'first' });
    expect([redacted.status, redacted.body.text]).toEqual([200, null]);
  });

  it('counts the same over REST and over the socket', async () => {
    const [id, other] = [randomUUID(), randomUUID()];
    const socket = await ada.connect();
    const first = await ada.says(room, 'over REST', { id });
    const ack = await socket.ask('post', { room, id, text: 'over REST' });
    expect(ack).toMatchObject({ event: 'ack', data: { id, revision: first.revision, duplicate: true } });
    expect(await socket.refused('post', { room, id, text: 'something else' })).toBe('duplicate_id');

    const stored = await socket.ask('post', { room, id: other, text: 'over the socket' });
    expect(stored.data).not.toHaveProperty('duplicate');
    const again = await ada.post(messages, { id: other, text: 'over the socket' });
    expect([again.status, again.body.revision]).toEqual([200, stored.data.revision]);
    const repeated = await socket.ask('post', { room, id: other, text: 'over the socket' });
    expect(repeated.data).toEqual({ ...stored.data, duplicate: true });
    socket.close();
  });

  it('posts once when sent many times at once', async () => {
    const own = await ada.room();
    const id = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => ada.post(`/v1/rooms/${own}/messages`, { id, text: 'at once' })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 201]);
    expect(new Set(answers.map(({ body }) => body.revision)).size).toBe(1);
    expect(await ada.all(`/v1/rooms/${own}/messages`)).toHaveLength(1);
  });
});

describe('replying', () => {
  it('names the message replied to', async () => {
    const question = await ada.says(room, 'Tea?');
    const answer = await bob.says(room, 'Please', { replyTo: question.id });
    expect(answer.replyTo).toBe(question.id);
    expect((await bob.says(room, 'With milk', { replyTo: answer.id })).replyTo).toBe(answer.id);
  });

  it('is possible only to messages of the same room', async () => {
    const elsewhere = await ada.says(await ada.room(), 'elsewhere');
    for (const replyTo of [elsewhere.id, unknownId()])
      expect(outcome(await ada.post(messages, { text: 'x', replyTo }))).toBe('not_found');
  });
});

describe('the messages of a room', () => {
  let long: string;
  let texts: string[];
  beforeAll(async () => {
    const id = await ada.roomWith([bob]);
    long = `/v1/rooms/${id}/messages`;
    texts = Array.from({ length: 25 }, (_, i) => `message ${i}`);
    for (const text of texts) await ada.says(id, text);
  });

  it('come newest or oldest first, each once over all pages', async () => {
    for (const limit of [1, 4, 5, 24, 25, 26]) {
      expect(textsOf(await bob.all(long, limit))).toEqual([...texts].reverse());
      expect(textsOf(await bob.all(`${long}?order=oldest`, limit))).toEqual(texts);
    }
    expect((await bob.get(long)).body.page).toEqual({ next: null });
  });

  it('start at a revision, in both directions', async () => {
    // The first message has revision 3: creating the room and two joinings come before it.
    expect(textsOf(await bob.all(`${long}?order=oldest&from=20`, 3))).toEqual(texts.slice(17));
    expect(textsOf(await bob.all(`${long}?order=newest&from=20`, 3))).toEqual(texts.slice(0, 18).reverse());
    expect(textsOf(await bob.all(`${long}?order=oldest&from=0`))).toEqual(texts);
    expect(textsOf(await bob.all(`${long}?order=oldest&from=28`))).toEqual([]);
    expect(textsOf(await bob.all(`${long}?order=newest&from=2`))).toEqual([]);
  });

  it('start at a time, in both directions', async () => {
    const seventh = (await bob.get(`${long}?order=oldest&limit=7`)).body.items[6];
    const before = (await bob.all(`${long}?order=oldest`)).filter(({ postedAt }) => postedAt < seventh.postedAt).length;
    const at = `at=${seventh.postedAt}`;
    expect(textsOf(await bob.all(`${long}?order=oldest&${at}`, 3))).toEqual(texts.slice(before));
    expect(textsOf(await bob.all(`${long}?order=newest&${at}`, 3))).toEqual(texts.slice(0, before).reverse());
    expect(textsOf(await bob.all(`${long}?order=oldest&at=0001-01-01T00:00:00Z`))).toEqual(texts);
    expect(textsOf(await bob.all(`${long}?order=oldest&at=9999-01-01T00:00:00Z`))).toEqual([]);
    expect(textsOf(await bob.all(`${long}?order=oldest&from=20&at=2000-01-01T00:00:00Z`))).toEqual(texts.slice(17));
  });

  it('do not shift between pages when more are posted', async () => {
    const id = await ada.roomWith([bob]);
    for (const text of ['a', 'b', 'c', 'd']) await ada.says(id, text);
    const path = `/v1/rooms/${id}/messages`;
    const [down, up] = [await bob.get(`${path}?limit=2`), await bob.get(`${path}?order=oldest&limit=2`)];
    await ada.says(id, 'e');
    const next = async (order: string, cursor: string) =>
      textsOf((await bob.get(`${path}?order=${order}&limit=50&cursor=${cursor}`)).body.items);

    expect(await next('newest', down.body.page.next)).toEqual(['b', 'a']);
    expect(await next('oldest', up.body.page.next)).toEqual(['c', 'd', 'e']);
  });

  it.each([
    'order=up',
    'from=-1',
    'from=x',
    'from=1.5',
    'at=noon',
    'at=2026-01-31',
    'limit=0',
    'limit=201',
    'cursor=invented',
  ])('refuse %s', async (query) => {
    expect(outcome(await bob.get(`${long}?${query}`))).toBe('invalid_request');
  });

  it('refuse the cursor of another list', async () => {
    const { next } = (await bob.get(`${long}?limit=1`)).body.page;
    expect(outcome(await bob.get(`${long}?order=oldest&cursor=${next}`))).toBe('invalid_request');
    expect(outcome(await bob.get(`/v1/inbox?cursor=${next}`))).toBe('invalid_request');
  });
});

describe('editing', () => {
  it('replaces the text of a message', async () => {
    const message = await ada.says(room, 'teh');
    const edited = await ada.patch(`${messages}/${message.id}`, { text: 'the' });

    expect(edited.body).toEqual({ ...message, text: 'the', editedAt: expect.any(String) });
    expect((await bob.get(`${messages}?limit=1`)).body.items).toEqual([edited.body]);
  });

  it('is for the author of a message that is not redacted', async () => {
    const message = await ada.says(room, 'mine');
    const path = `${messages}/${message.id}`;
    expect(outcome(await bob.patch(path, { text: 'x' }))).toBe('forbidden');
    for (const body of [{}, { text: '' }, { text: null }])
      expect(outcome(await ada.patch(path, body))).toBe('invalid_request');
    expect(outcome(await ada.patch(`${messages}/${unknownId()}`, { text: 'x' }))).toBe('not_found');
    await ada.delete(path);
    expect(outcome(await ada.patch(path, { text: 'x' }))).toBe('conflict');
    expect(outcome(await bob.patch(path, { text: 'x' }))).toBe('forbidden');
  });

  it('is not for former members or guests', async () => {
    const own = await ada.roomWith([bob, cem]);
    const [left, hushed] = [await bob.says(own, 'mine'), await cem.says(own, 'mine')];
    await bob.delete(`/v1/rooms/${own}/members/me`);
    await ada.patch(`/v1/rooms/${own}/members/${cem.id}`, { role: 'guest' });
    expect(outcome(await bob.patch(`/v1/rooms/${own}/messages/${left.id}`, { text: 'x' }))).toBe('not_a_member');
    expect(outcome(await cem.patch(`/v1/rooms/${own}/messages/${hushed.id}`, { text: 'x' }))).toBe('forbidden');
  });
});

describe('redacting', () => {
  it('removes the text and keeps the place', async () => {
    const message = await ada.says(room, 'a secret');
    const path = `${messages}/${message.id}`;
    const redacted = await ada.delete(path, { reason: 'slipped out' });

    expect(redacted.body).toEqual({ ...message, text: null, redactedAt: expect.any(String) });
    expect((await bob.get(`${messages}?limit=1`)).body.items).toEqual([redacted.body]);
    expect((await ada.delete(path)).body).toEqual(redacted.body);
  });

  it('is for the author, for those who moderate, and for administrators', async () => {
    const own = await ada.roomWith([[bob, 'moderator'], cem]);
    const of = async (person: TestPerson) => `/v1/rooms/${own}/messages/${(await person.says(own, 'x')).id}`;
    expect(outcome(await cem.delete(await of(cem)))).toBe(200);
    expect(outcome(await bob.delete(await of(ada)))).toBe(200);
    expect(outcome(await admin.delete(await of(ada)))).toBe(200);
    expect(outcome(await cem.delete(await of(bob)))).toBe('forbidden');
    expect(outcome(await ada.delete(`/v1/rooms/${own}/messages/${unknownId()}`))).toBe('not_found');
    expect(outcome(await ada.delete(await of(ada), { reason: 'x'.repeat(501) }))).toBe('invalid_request');
  });

  it('keeps replies and reactions', async () => {
    const message = await ada.says(room, 'regret');
    const reply = await bob.says(room, 'indeed', { replyTo: message.id });
    await bob.put(`${messages}/${message.id}/reactions/%F0%9F%91%8D`);
    const redacted = await ada.delete(`${messages}/${message.id}`);
    expect(redacted.body.reactions).toEqual([{ emoji: '👍', count: 1, mine: false }]);
    expect((await bob.get(`${messages}?limit=1`)).body.items[0]).toMatchObject({ id: reply.id, replyTo: message.id });
    expect((await cem.says(room, 'what was it?', { replyTo: message.id })).replyTo).toBe(message.id);
  });
});

describe('texts that show nothing', () => {
  it.each([
    '   ',
    '\u00a0\u2003',
    '\u200b\u200d',
    '\u3164',
    '\u2800',
    '\u202e\u2069',
    '\ufe0f',
    '\u0301',
    '\u{e0061}',
    '\u{1d159}',
  ])('are refused at both doors: %j', async (text) => {
    const socket = await ada.connect();
    const { id } = await ada.says(room, 'something');
    expect(outcome(await ada.post(messages, { text }))).toBe('invalid_request');
    expect(outcome(await ada.patch(`${messages}/${id}`, { text }))).toBe('invalid_request');
    expect(outcome(await ada.delete(`${messages}/${id}`, { reason: text }))).toBe('invalid_request');
    expect(await socket.refused('post', { room, text })).toBe('invalid_request');
    expect(await socket.refused('edit', { room, messageId: id, text })).toBe('invalid_request');
    expect(outcome(await ada.post(messages, { text: `${text}.` }))).toBe(201);
    socket.close();
  });
});

describe('reactions', () => {
  it('are counted, and one’s own are marked', async () => {
    const message = await ada.says(room, 'cake!');
    const react = (person: TestPerson, emoji: string) =>
      person.put(`${messages}/${message.id}/reactions/${encodeURIComponent(emoji)}`);
    const reactionsFor = async (person: TestPerson) => {
      const { body } = await person.get(`${messages}?from=${message.revision}&limit=1`);
      return body.items[0].reactions;
    };
    expect((await react(bob, '🍰')).status).toBe(204);
    expect((await react(bob, '🍰')).status).toBe(204);
    await react(cem, '🍰');
    await react(cem, '👩‍👩‍👧‍👦');

    expect(await reactionsFor(bob)).toEqual([
      { emoji: '🍰', count: 2, mine: true },
      { emoji: '👩‍👩‍👧‍👦', count: 1, mine: false },
    ]);
    const away = await cem.delete(`${messages}/${message.id}/reactions/${encodeURIComponent('🍰')}`);
    expect(away.status).toBe(204);
    await cem.delete(`${messages}/${message.id}/reactions/${encodeURIComponent('🍰')}`);
    expect(await reactionsFor(cem)).toEqual([
      { emoji: '🍰', count: 1, mine: false },
      { emoji: '👩‍👩‍👧‍👦', count: 1, mine: true },
    ]);
  });

  it('are emoji, each in one form', async () => {
    const message = await ada.says(room, 'anything');
    const path = (emoji: string) => `${messages}/${message.id}/reactions/${encodeURIComponent(emoji)}`;
    const react = async (emoji: string) => outcome(await bob.put(path(emoji)));
    for (const emoji of ['❤', '❤️', '👍\ufe0f', '👍', '👍🏽', '#️⃣', '#\u20e3', '🏴󠁧󠁢󠁷󠁬󠁳󠁿'])
      expect(await react(emoji)).toBe(204);
    for (const bad of [
      'a b',
      '\n',
      '\0',
      'x',
      '+1',
      ':+1:',
      '1',
      '#',
      '\u202e',
      '\u200d',
      '👍👍',
      '上',
      '👍'.repeat(17),
    ])
      expect(await react(bad)).toBe('invalid_request');
    const reactions = async () =>
      (await bob.get(`${messages}?from=${message.revision}&limit=1`)).body.items[0].reactions;
    const emoji = ['❤️', '👍', '👍🏽', '#️⃣', '🏴󠁧󠁢󠁷󠁬󠁳󠁿'];
    expect(await reactions()).toEqual(emoji.map((emoji) => ({ emoji, count: 1, mine: true })));
    for (const removed of ['❤', '👍', 'x']) expect(outcome(await bob.delete(path(removed)))).toBe(204);
    expect(await reactions()).toEqual(emoji.slice(2).map((emoji) => ({ emoji, count: 1, mine: true })));
  });

  it('can be added to existing messages only, and removed from redacted ones too', async () => {
    const message = await ada.says(room, 'soon gone');
    const path = `${messages}/${message.id}/reactions`;
    const [thumb, cake] = [encodeURIComponent('👍'), encodeURIComponent('🍰')];
    await bob.put(`${path}/${thumb}`);
    await ada.delete(`${messages}/${message.id}`);
    expect(outcome(await bob.put(`${path}/${cake}`))).toBe('conflict');
    expect(outcome(await bob.delete(`${path}/${thumb}`))).toBe(204);
    for (const method of ['put', 'delete'] as const)
      expect(outcome(await bob.send(method, `${messages}/${unknownId()}/reactions/${thumb}`))).toBe('not_found');
  });

  it('are not for guests and outsiders', async () => {
    const own = await ada.roomWith([[bob, 'guest']]);
    const path = `/v1/rooms/${own}/messages/${(await ada.says(own, 'x')).id}/reactions/%F0%9F%91%8D`;
    for (const method of ['put', 'delete'] as const) {
      expect(outcome(await bob.send(method, path))).toBe('forbidden');
      expect(outcome(await cem.send(method, path))).toBe('not_a_member');
    }
    await ada.post(`/v1/rooms/${own}/close`);
    for (const method of ['put', 'delete'] as const) expect(outcome(await ada.send(method, path))).toBe('room_closed');
  });
});

describe('the inbox', () => {
  let dora: TestPerson;
  beforeAll(async () => {
    dora = await register(service.url);
  });
  const inbox = async () => dora.all('/v1/inbox');

  it('counts unread messages after the read mark or one’s own last message', async () => {
    const own = await ada.roomWith([dora]);
    const entry = async () => (await inbox()).find((item) => item.room.id === own);
    expect(await entry()).toMatchObject({ lastMessage: null, unread: 0 });

    const said = [await ada.says(own, 'one'), await ada.says(own, 'two'), await ada.says(own, 'three')];
    expect(await entry()).toMatchObject({ unread: 3, lastMessage: said[2] });
    expect((await dora.put(`/v1/rooms/${own}/read`, { revision: said[1]!.revision })).status).toBe(204);
    expect(await entry()).toMatchObject({ unread: 1, readRevision: said[1]!.revision });
    await dora.put(`/v1/rooms/${own}/read`, { revision: 0 });
    expect(await entry()).toMatchObject({ unread: 1, readRevision: said[1]!.revision });
    await dora.says(own, 'my word');
    expect(await entry()).toMatchObject({ unread: 0 });
    await ada.says(own, 'four');
    expect(await entry()).toMatchObject({ unread: 1, lastMessage: { text: 'four' } });
    await dora.put(`/v1/rooms/${own}/read`, { revision: 1_000_000 });
    expect(await entry()).toMatchObject({ unread: 0 });
    await ada.says(own, 'five');
    expect(await entry()).toMatchObject({ unread: 1 });
  });

  it('keeps one person’s read marks from all others', async () => {
    const own = await ada.roomWith([dora, bob]);
    const { revision } = await ada.says(own, 'hello');
    const before = (await ada.get(`/v1/rooms/${own}/events`)).body;
    await bob.put(`/v1/rooms/${own}/read`, { revision });
    expect((await inbox()).find((item) => item.room.id === own)).toMatchObject({ unread: 1 });
    expect((await ada.get(`/v1/rooms/${own}/events`)).body).toEqual(before);
  });

  it('lists one’s rooms by their latest message, page by page', async () => {
    const person = await register(service.url);
    const rooms = await Promise.all(Array.from({ length: 5 }, () => ada.roomWith([person])));
    for (const id of [...rooms].reverse()) await ada.says(id, 'first');
    await ada.says(rooms[3]!, 'again');
    const expected = [rooms[3], rooms[0], rooms[1], rooms[2], rooms[4]];

    const ids = async (limit: number) => (await person.all('/v1/inbox', limit)).map((item) => item.room.id);
    expect(await ids(200)).toEqual(expected);
    expect(await ids(2)).toEqual(expected);
    await person.delete(`/v1/rooms/${rooms[3]}/members/me`);
    expect(await ids(2)).toEqual(expected.slice(1));
    expect(outcome(await person.get('/v1/inbox?limit=0'))).toBe('invalid_request');
  });

  it('shows the latest message as it is now, and nothing from before joining where that is hidden', async () => {
    const own = await ada.room({ visibility: 'private', history: 'joined' });
    await ada.says(own, 'before');
    await ada.post(`/v1/rooms/${own}/members`, { userId: dora.id });
    const entry = async () => (await inbox()).find((item) => item.room.id === own);
    expect(await entry()).toMatchObject({ lastMessage: null, unread: 0 });
    const { id } = await ada.says(own, 'after');
    await ada.delete(`/v1/rooms/${own}/messages/${id}`);
    expect(await entry()).toMatchObject({ lastMessage: { id, text: null } });
  });

  it('refuses invalid marks and rooms one is not in', async () => {
    const mark = async (id: string, body: object) => outcome(await dora.put(`/v1/rooms/${id}/read`, body));
    const [open, hidden] = [await ada.room(), await ada.room({ visibility: 'hidden' })];
    for (const body of [{}, { revision: -1 }, { revision: 1.5 }, { revision: '1' }])
      expect(await mark(open, body)).toBe('invalid_request');
    expect(await mark(open, { revision: 1 })).toBe('not_a_member');
    expect(await mark(hidden, { revision: 1 })).toBe('not_found');
  });
});

describe('searching', () => {
  /** The texts found, once they are as wanted: search may lag. */
  const find = (person: TestPerson, query: string, wanted: (string | null)[]) =>
    eventually(
      async () => textsOf(await person.all(`/v1/search?${new URLSearchParams(query)}`)),
      (texts) => JSON.stringify(texts) === JSON.stringify(wanted),
    );

  it('finds words regardless of case and the encoding of accents, newest first', async () => {
    const own = await ada.roomWith([bob]);
    for (const text of ['Äpfel und Birnen', 'noch mehr ÄPFEL', 'apfel', 'Straße 世界']) await ada.says(own, text);
    const found = ['apfel', 'noch mehr ÄPFEL', 'Äpfel und Birnen'];

    for (const word of ['äpfel', 'Äpfel', 'ÄPFEL', 'A\u0308pfel', 'a\u0308pfel', 'apfel', 'Apf'])
      await find(bob, `q=${word}&room=${own}`, found);
    await find(bob, `q=äpfel mehr&room=${own}`, ['noch mehr ÄPFEL']);
    for (const word of ['STRAßE', 'strasse', '界']) await find(bob, `q=${word}&room=${own}`, ['Straße 世界']);
    await find(bob, `q=世界&room=${own}`, ['Straße 世界']);
    await find(bob, `q=Kirschen&room=${own}`, []);
  });

  it('finds words next to any characters, and whole pasted texts', async () => {
    const own = await ada.room();
    const texts = [
      'see holiday.png',
      '我家在上海东边',
      'run `git commit -m "x"` - not that',
      'https://x.org/t/4711?a=b&c=d',
      '👍🏽',
      'AT&T; C++',
    ];
    for (const text of texts) await ada.says(own, text);
    const queries = [
      ['holiday', 0],
      ['上海', 1],
      ['-m', 2],
      ['4711', 3],
      ['👍', 4],
      ...texts.map((text, n) => [text, n] as const),
    ] as const;
    for (const [q, n] of queries) await find(ada, `${new URLSearchParams({ q, room: own })}`, [texts[n] ?? '']);
    await find(ada, `q=t&without=org&room=${own}`, ['AT&T; C++', 'run `git commit -m "x"` - not that']);
  });

  it('returns the matching parts of a text', async () => {
    const own = await ada.room();
    await ada.says(own, 'Good morning, Café! 👍');
    const [message] = await eventually(
      async () => (await ada.get(`/v1/search?q=cafe+"good+morning"&room=${own}`)).body.items,
      (items) => items.length === 1,
    );
    expect(message.matches).toEqual([
      { start: 0, end: 12 },
      { start: 14, end: 18 },
    ]);
  });

  it('follows edits and redactions', async () => {
    const own = await ada.room();
    const [one, two] = [await ada.says(own, 'zebra one'), await ada.says(own, 'zebra two')];
    await find(ada, `q=zebra&room=${own}`, ['zebra two', 'zebra one']);
    await ada.patch(`/v1/rooms/${own}/messages/${one.id}`, { text: 'horse one' });
    await ada.delete(`/v1/rooms/${own}/messages/${two.id}`);
    await find(ada, `q=zebra&room=${own}`, []);
    await find(ada, `q=horse&room=${own}`, ['horse one']);
  });

  it('finds what one may read, in all rooms one is in', async () => {
    const word = `w${randomUUID().slice(0, 8)}`;
    const dora = await register(service.url);
    const [open, closedOff, late] = [
      await ada.roomWith([dora]),
      await ada.roomWith([dora], { visibility: 'private' }),
      await ada.room({ visibility: 'private', history: 'joined' }),
    ];
    const elsewhere = await ada.room();
    await ada.says(late, `${word} before`);
    await ada.post(`/v1/rooms/${late}/members`, { userId: dora.id });
    for (const [id, text] of [
      [open, 'open'],
      [closedOff, 'closed off'],
      [elsewhere, 'elsewhere'],
      [late, 'after'],
    ] as const)
      await ada.says(id, `${word} ${text}`);

    await find(
      ada,
      `q=${word}`,
      ['after', 'elsewhere', 'closed off', 'open', 'before'].map((text) => `${word} ${text}`),
    );
    await find(
      dora,
      `q=${word}`,
      ['after', 'closed off', 'open'].map((text) => `${word} ${text}`),
    );
    expect((await dora.all(`/v1/search?q=${word}`, 1)).map(({ roomId }) => roomId)).toEqual([late, closedOff, open]);
    expect(outcome(await dora.get(`/v1/search?q=${word}&room=${elsewhere}`))).toBe('not_a_member');
    expect(outcome(await admin.get(`/v1/search?q=${word}&room=${elsewhere}`))).toBe('reason_required');
    expect(outcome(await admin.get(`/v1/rooms/${elsewhere}/messages`))).toBe('reason_required');
    expect(outcome(await dora.get(`/v1/search?q=${word}&room=${unknownId()}`))).toBe('not_found');
  });

  it.each([
    '',
    'q=',
    'q=%20',
    'q=a%00b',
    `q=${'x'.repeat(501)}`,
    `q=x&without=${'x'.repeat(501)}`,
    'q=x&room=main',
    'q=x&limit=0',
    'q=x&cursor=invented',
  ])('refuses ?%s', async (query) => {
    expect(outcome(await ada.get(`/v1/search?${query}`))).toBe('invalid_request');
  });

  it.each(['!', '"', '-', '&|!:*', "' or 1=1 --", 'a:*', '<->', '\\', '%'])(
    'takes %j for words like others',
    async (q) => {
      expect(outcome(await ada.get(`/v1/search?q=${encodeURIComponent(q)}`))).toBe(200);
    },
  );
});

describe('a restart', () => {
  it('keeps messages and their protection against repeated posts', async () => {
    const id = randomUUID();
    const own = await ada.roomWith([bob]);
    const first = await ada.says(own, 'once and for all', { id });
    await bob.put(`/v1/rooms/${own}/messages/${id}/reactions/%F0%9F%91%8D`);
    await bob.put(`/v1/rooms/${own}/read`, { revision: first.revision });

    await service.restart();
    [admin, ada, bob, cem] = [admin, ada, bob, cem].map((person) => person.at(service.url)) as [
      TestPerson,
      TestPerson,
      TestPerson,
      TestPerson,
    ];

    const again = await ada.post(`/v1/rooms/${own}/messages`, { id, text: 'once and for all' });
    expect([again.status, again.body]).toEqual([
      200,
      { ...first, reactions: [{ emoji: '👍', count: 1, mine: false }] },
    ]);
    expect(outcome(await ada.post(`/v1/rooms/${own}/messages`, { id, text: 'something else' }))).toBe('duplicate_id');
    const socket = await ada.connect();
    const ack = await socket.ask('post', { room: own, id, text: 'once and for all' });
    expect(ack.data).toMatchObject({ duplicate: true, revision: first.revision });
    socket.close();
    const entry = (await bob.all('/v1/inbox')).find((item) => item.room.id === own);
    expect(entry).toMatchObject({ unread: 0, readRevision: first.revision });
  });
});

describe('the calls of messages', () => {
  it('need a credential', async () => {
    const nobody = new Visitor(service.url);
    const id = unknownId();
    const asked = [
      nobody.post(messages, { text: 'x' }),
      nobody.get(messages),
      nobody.patch(`${messages}/${id}`, { text: 'x' }),
      nobody.delete(`${messages}/${id}`),
      nobody.put(`${messages}/${id}/reactions/%F0%9F%91%8D`),
      nobody.delete(`${messages}/${id}/reactions/%F0%9F%91%8D`),
      nobody.put(`/v1/rooms/${room}/read`, { revision: 1 }),
      nobody.get('/v1/inbox'),
      nobody.get('/v1/search?q=x'),
    ];
    for (const answer of await Promise.all(asked)) expect(outcome(answer)).toBe('unauthenticated');
  });

  it('are for members of existing, open rooms', async () => {
    const outsider = await register(service.url);
    const closed = await ada.room();
    const id = (await ada.says(closed, 'x')).id;
    await ada.post(`/v1/rooms/${closed}/close`);
    for (const [at, expected] of [
      [closed, 'not_a_member'],
      [unknownId(), 'not_found'],
    ] as const) {
      const path = `/v1/rooms/${at}/messages`;
      expect(outcome(await outsider.post(path, { text: 'x' }))).toBe(expected);
      expect(outcome(await outsider.get(path))).toBe(expected);
      expect(outcome(await outsider.patch(`${path}/${id}`, { text: 'x' }))).toBe(expected);
      expect(outcome(await outsider.delete(`${path}/${id}`))).toBe(expected);
    }
    const path = `/v1/rooms/${closed}/messages`;
    expect(outcome(await ada.post(path, { text: 'x' }))).toBe('room_closed');
    expect(outcome(await ada.patch(`${path}/${id}`, { text: 'x' }))).toBe('room_closed');
    const guests = await ada.roomWith([[outsider, 'guest']]);
    expect(outcome(await outsider.post(`/v1/rooms/${guests}/messages`, { text: 'x' }))).toBe('forbidden');
  });

  it('are proved to those who may read them', async () => {
    const [author, stranger] = [await register(service.url), await register(service.url)];
    const room = await author.room({ visibility: 'public' });
    const { id } = await author.says(room, 'proved');
    const path = `/v1/rooms/${room}/messages/${id}/proof`;
    expect(outcome(await author.get(path))).toBe(200);
    expect(outcome(await stranger.get(path))).toBe('not_a_member');
    expect(outcome(await author.get(`${path}?revision=1`))).toBe('forbidden');
    expect(outcome(await author.get(path.replace(id, unknownId)))).toBe('not_found');
    expect(outcome(await admin.get(path))).toBe('reason_required');
    expect(outcome(await new Visitor(service.url).get(path))).toBe('unauthenticated');
  });

  it('have all been seen with each of their answers', () => {
    expect(neverSeen('Messages')).toEqual([]);
  });
});
