import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { password, register, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { ChatCaller, ChatClient } from './chat-client.testing.js';
import { MAX_FRAME_BYTES } from './frames.js';

let service: TestService;
let admin: TestPerson;
let door: ChatCaller;
/** Milliseconds by which the clock of the service is ahead. */
let ahead = 0;
const open: ChatClient[] = [];

beforeAll(async () => {
  const port = await freePort();
  const clock = () => new Date(Date.now() + ahead);
  service = await startTestService({ environment: { CHITCHAT_PORT: `${port}` }, clock });
  door = new ChatCaller(`http://127.0.0.1:${port}`);
  admin = await signIn(service.url, administrator);
});
afterEach(() => {
  for (const client of open.splice(0)) client.close();
});
afterAll(() => service.stop());

const enter = async (...given: Parameters<ChatCaller['enter']>) => {
  const client = await door.enter(...given);
  open.push(client);
  return client;
};
const knock = (...given: Parameters<ChatCaller['open']>) => {
  const client = door.open(...given);
  open.push(client);
  return client;
};
const namesIn = async (room: number | string): Promise<string[]> =>
  (await door.get(`/chats/${room}`)).body.users.map(({ username }: { username: string }) => username).sort();
const refusal = (code: number, error: string, field?: string) => ({
  status: false,
  error: { code, error, ...(field && { field }) },
});
const notFound = (field: string) => refusal(101, 'Room error: Room not found', field);
const badContent = (field: string) => refusal(105, 'Room error: Invalid content', field);
const badToken = refusal(403, 'Token error: Invalid token', 'token');
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
/** The id of the guest of this name, as the dashboard lists it. */
const guestCalled = async (name: string): Promise<string> => {
  const listed = async () => (await admin.get(`/v1/users?q=${encodeURIComponent(name)}`)).body.items;
  await expect
    .poll(listed, { timeout: 10_000 })
    .toContainEqual(expect.objectContaining({ displayName: name, guest: true }));
  return (await listed()).find((user: { displayName: string }) => user.displayName === name).id;
};
/** The native id of a room, found by its name. */
const nativeRoom = async (name: string): Promise<string> => {
  const listed = async () => (await admin.get(`/v1/rooms?q=${encodeURIComponent(name)}`)).body.items;
  await expect.poll(async () => (await listed()).length, { timeout: 10_000 }).toBeGreaterThan(0);
  return (await listed()).find((room: { name: string }) => room.name === name).id;
};

describe('rooms', () => {
  it('begin with the public one, which is number 1', async () => {
    const { status, body } = await door.get('/chats/1');
    expect([status, body]).toEqual([
      200,
      {
        ...{
          title: 'Public Chat',
          description: 'This is the default chat, available to everyone!',
          visibility: 'public',
        },
        ...{ createdAt: expect.stringMatching(RFC_3339), updatedAt: expect.stringMatching(RFC_3339) },
        ...{ id: 1, users: [], status: true },
      },
    ]);
  });

  it.each([
    ['public room', 'this is a public room', 'public', ''],
    ['private room', 'this is a private room', 'private', 'password123'],
    ['secret room', 'this is a secret room', 'hidden', '!!123abcpassword'],
    ['Room in capitals', '', 'PUBLIC', ''],
  ])('%s is created', async (title, description, visibility, secret) => {
    const { status, body } = await door.post('/chats', { title, description, visibility, password: secret });
    const room = {
      ...{ title, ...(description && { description }), visibility: visibility.toLowerCase() },
      ...{ createdAt: expect.stringMatching(RFC_3339), updatedAt: expect.stringMatching(RFC_3339) },
      id: expect.any(Number),
    };
    // Clients of the document read the room itself, the page of Globes goes on to `data.id`.
    expect([status, body]).toEqual([201, { ...room, users: [], status: true, data: room }]);
    expect(body.data.id).toBe(body.id);
    expect(body.id).toBeGreaterThan(1);
    if (visibility === 'hidden') expect(body.id).toBeGreaterThan(2 ** 33);
  });

  it.each([
    [{ title: 'Public Chat', visibility: 'public' }, refusal(102, 'Room error: Duplicate room', 'title')],
    [
      { title: 'pUBLIC  cHAT', visibility: 'hidden', password: '12345678' },
      refusal(102, 'Room error: Duplicate room', 'title'),
    ],
    [{ title: '', visibility: 'public' }, badContent('title')],
    [{ title: 'a', visibility: 'public' }, badContent('title')],
    [{ title: 'ä'.repeat(36), visibility: 'public' }, badContent('title')],
    [{ title: 'bad room', description: 'x'.repeat(71), visibility: 'public' }, badContent('description')],
    [{ title: 'bad room', visibility: '' }, badContent('visibility')],
    [{ title: 'bad room', visibility: 'direct' }, badContent('visibility')],
    [{ title: 'bad private room', visibility: 'private', password: '' }, badContent('password')],
    [{ title: 'bad hidden room', visibility: 'hidden', password: '1234567' }, badContent('password')],
    [{ title: 'weird public room', visibility: 'public', password: 'badpwd' }, badContent('visibility')],
    [{ title: 5, visibility: 'public' }, badContent('title')],
  ])('%j is refused', async (room, expected) => {
    const { status, body } = await door.post('/chats', room);
    expect([status, body]).toEqual([400, expected]);
  });

  it('are read as JSON whatever the content type, and must be JSON', async () => {
    const types = ['application/x-www-form-urlencoded; charset=UTF-8', 'text/plain', 'application/octet-stream'];
    for (const [i, type] of types.entries()) {
      const sent = JSON.stringify({ title: `Typed ${i}`, visibility: 'public', description: '', password: '' });
      expect((await door.call('POST', '/chats', sent, { 'content-type': type })).status).toBe(201);
    }
    const { status, body } = await door.post('/chats', 'title=x&visibility=public');
    expect([status, body]).toEqual([400, refusal(103, 'Room error: Invalid JSON')]);
  });

  it('are found by number and by title in any case, and are not there otherwise', async () => {
    const id = await door.room('Grüße aus Köln');
    for (const wanted of [id, 'Grüße aus Köln', 'GRÜSSE AUS KÖLN'])
      expect((await door.get(`/chats/${encodeURIComponent(wanted)}`)).body).toMatchObject({
        id,
        title: 'Grüße aus Köln',
      });
    for (const wanted of ['no such room', '987654321', '0', '-1', '99999999999999999999']) {
      const { status, body } = await door.get(`/chats/${encodeURIComponent(wanted)}`);
      expect([status, body]).toEqual([404, notFound(wanted)]);
    }
  });

  it('may be called by a number, which is first tried as an id', async () => {
    const id = await door.room('2048');
    expect((await door.get('/chats/2048')).body).toMatchObject({ id, title: '2048' });
  });

  it('that are hidden show their number and people alone, by title and by number', async () => {
    const id = await door.room('Speakeasy', 'hidden', 'open sesame');
    const nothing = { id, users: [], status: true };
    expect((await door.get(`/chats/${id}`)).body).toEqual(nothing);
    // The title is what was asked for.
    expect((await door.get('/chats/speakEASY')).body).toEqual({ ...nothing, title: 'speakEASY' });
    const token = await door.token(id, 'open sesame', 'Ann');
    expect((await door.get(`/chats/${id}`, token)).body).toMatchObject({ title: 'Speakeasy', visibility: 'hidden' });
    expect((await door.get('/chats')).text).not.toContain('Speakeasy');
    expect((await door.get('/chats/all')).text).not.toContain('Speakeasy');
  });

  it('show no hash of a password', async () => {
    await door.room('Hashless', 'private', 'password123');
    for (const path of ['/chats/Hashless', '/chats/all', '/chats'])
      expect((await door.get(path)).text).not.toMatch(/argon|\$2|password123|"password"/i);
  });

  it('are listed with a link each, as text', async () => {
    const id = await door.room('<img src=x onerror=alert(1)>');
    const { status, text, headers } = await door.get('/chats');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('text/html');
    expect(text).toContain(`href="/chats/${id}/entrance"`);
    expect(text).not.toContain('<img');
    const all = await door.get('/chats/all');
    expect([all.status, all.body.data]).toEqual([201, expect.arrayContaining([expect.objectContaining({ id: 1 })])]);
  });

  it('are changed by anybody, and keep their users, time and old title', async () => {
    const id = await door.room('To be renamed');
    const { createdAt } = (await door.get(`/chats/${id}`)).body;
    await enter(id, 'Ann');
    const change = { title: 'Renamed', description: 'renamed', visibility: 'public' };
    const { status, body } = await door.put('/chats/to be renamed', change);
    expect([status, body]).toMatchObject([
      200,
      { ...change, id, createdAt, users: [{ username: 'Ann' }], status: true },
    ]);
    expect((await door.get('/chats/to%20be%20renamed')).body.id).toBe(id);
    const other = await door.room('To be renamed');
    expect((await door.get('/chats/to%20be%20renamed')).body.id).toBe(other);
    expect((await door.put(`/chats/${id}`, { ...change, title: 'to be RENAMED' })).body).toEqual(
      refusal(102, 'Room error: Duplicate room', 'title'),
    );
  });

  it('keep their password, so that public ones stay public and the others do not become so', async () => {
    const [open, closed] = [await door.room('Stays open'), await door.room('Stays closed', 'private', 'password123')];
    const token = await door.token(closed, 'password123', 'Ann');
    const hide = { title: 'Stays open', visibility: 'hidden', password: 'password123' };
    expect((await door.put(`/chats/${open}`, hide)).body).toEqual(badContent('password'));
    const publish = { title: 'Stays closed', visibility: 'public' };
    expect((await door.put(`/chats/${closed}`, publish, token)).body).toEqual(badContent('visibility'));
    expect((await door.put(`/chats/${closed}`, { ...publish, visibility: 'hidden' }, token)).body).toMatchObject({
      id: closed,
      visibility: 'hidden',
    });
    expect((await door.post(`/chats/${closed}/token`, { secret: 'password123', name: 'Ann' })).status).toBe(201);
  });

  it('with a password are changed and deleted with a token for them alone', async () => {
    const [one, other] = [
      await door.room('One', 'private', 'password-1'),
      await door.room('Other', 'private', 'password-2'),
    ];
    const foreign = await door.token(other, 'password-2', 'Ann');
    const change = { title: 'One', visibility: 'private' };
    for (const token of [undefined, foreign, `${foreign}x`, 'nonsense']) {
      for (const call of [() => door.put(`/chats/${one}`, change, token), () => door.delete(`/chats/${one}`, token)]) {
        const { status, body } = await call();
        expect([status, body]).toEqual([403, badToken]);
      }
    }
    const { status, body } = await door.delete(`/chats/${one}`, await door.token(one, 'password-1', 'Ann'));
    expect([status, body]).toEqual([200, { status: true }]);
    expect((await door.get(`/chats/${one}`)).body).toEqual(notFound(`${one}`));
  });

  it('that were deleted give their title to others and their number to none', async () => {
    const id = await door.room('Phoenix');
    await door.delete('/chats/PHOENIX');
    expect((await door.delete(`/chats/${id}`)).body).toEqual(notFound(`${id}`));
    expect(await door.room('phoenix')).not.toBe(id);
  });
});

describe('an operator', () => {
  it('keeps clients from changing rooms by suspending the caretaker', async () => {
    const id = await door.room('Caretaken');
    const { items } = (await admin.get('/v1/users?q=chitchat')).body;
    const [caretaker] = items.filter(
      ({ username, bot }: { username: string; bot: boolean }) => username === 'chitchat' && bot,
    );
    const change = { title: 'Caretaken', description: 'by whom?', visibility: 'public' };
    await admin.patch(`/v1/users/${caretaker.id}`, { suspended: true, reason: 'a test' });
    for (const call of [
      () => door.put(`/chats/${id}`, change),
      () => door.post('/chats', { ...change, title: 'Another' }),
    ])
      await expect.poll(async () => (await call()).body).toEqual(refusal(104, 'Room error: Unauthorized operation'));
    expect((await door.get('/chats')).text).toContain('Caretaken');
    await admin.patch(`/v1/users/${caretaker.id}`, { suspended: false });
    await expect.poll(async () => (await door.put(`/chats/${id}`, change)).status).toBe(200);
  });

  it('finds no titles and names in the tables of this door, and the door in the events', async () => {
    const id = await door.room('Unreadable title');
    await enter(id, 'Unreadable name');
    const sql = postgres(service.databaseUrl, { max: 1 });
    const tables = await Promise.all(
      ['rooms', 'titles', 'seats'].map(
        (table) => sql`select row_to_json(t)::text as row from ${sql(`desk.chitchat_${table}`)} t`,
      ),
    );
    const [event] = await sql`select sealed from log.events where type = 'RoomCreated' order by position desc limit 1`;
    await sql.end();
    expect(tables.every((rows) => rows.length > 0)).toBe(true);
    expect(JSON.stringify(tables)).not.toMatch(/unreadable/i);
    expect(event?.sealed).toContain('"door":"chitchat"');
  });
});

describe('native rooms', () => {
  it('are here while they are public, and are not changed here', async () => {
    const ada = await register(service.url);
    await ada.room({ name: 'Native hall', topic: 'Everybody', visibility: 'public' });
    const { body } = await door.get('/chats/native hall');
    expect(body).toMatchObject({ title: 'Native hall', description: 'Everybody', visibility: 'public' });
    await expect.poll(async () => (await door.get('/chats')).text, { timeout: 10_000 }).toContain('Native hall');
    const change = { title: 'Ours now', visibility: 'public' };
    for (const call of [() => door.put(`/chats/${body.id}`, change), () => door.delete(`/chats/${body.id}`)]) {
      const answer = await call();
      expect([answer.status, answer.body]).toEqual([401, refusal(104, 'Room error: Unauthorized operation')]);
    }
    expect((await door.post('/chats', { title: 'NATIVE hall', visibility: 'public' })).body.error.code).toBe(102);
  });

  it('that are hidden, or private without a password, are not there', async () => {
    const ada = await register(service.url);
    await ada.room({ name: 'Native cellar', visibility: 'hidden', password: 'password123' });
    await ada.room({ name: 'Native office', visibility: 'private' });
    const id = await ada.room({ name: 'Native club', visibility: 'public' });
    const { body } = await door.get('/chats/native club');
    await ada.client.call('changeRoom', { params: { id }, body: { visibility: 'hidden' } });
    for (const wanted of ['native cellar', 'native office', 'native club', `${body.id}`])
      expect((await door.get(`/chats/${encodeURIComponent(wanted)}`)).body).toEqual(notFound(wanted));
  });

  it('that are private with a password are entered with it, and not listed', async () => {
    const ada = await register(service.url);
    await ada.room({ name: 'Native vault', topic: 'Gold', visibility: 'private', password: 'password123' });
    const { body } = await door.get('/chats/native vault');
    const token = await door.token(body.id, 'password123', 'Ann');
    await enter(body.id, 'Ann', token);
    const strangers = { id: body.id, users: [], status: true };
    expect((await door.get('/chats/native vault')).body).toEqual({ ...strangers, title: 'native vault' });
    expect((await door.get(`/chats/${body.id}`)).body).toEqual(strangers);
    for (const path of ['entrance', 'chatbox'])
      expect((await door.get(`/chats/${body.id}/${path}`)).text).not.toMatch(/Native vault|Gold/);
    expect((await door.get(`/chats/${body.id}`, token)).body).toMatchObject({
      ...{ title: 'Native vault', description: 'Gold', visibility: 'private' },
      users: [{ username: 'Ann' }],
    });
    expect((await door.get('/chats')).text).not.toContain('Native vault');
  });

  it('carry one conversation with this door: each message once and in the same order', async () => {
    const ada = await register(service.url);
    const native = await ada.room({ visibility: 'public', name: 'Native forum' });
    const { body } = await door.get('/chats/native FORUM');
    const [ann, bob, socket] = [await enter(body.id, 'Ann'), await enter(body.id, 'Bob'), await ada.follow(native)];
    await ann.hears({
      event_type: 'join',
      name: ada.username,
      msg: `${ada.username} entered the room.`,
      verified: true,
    });
    for (let i = 0; i < 5; i++) {
      ann.say('Ann', `ann ${i}`);
      bob.say('Bob', `bob ${i}`);
      await ada.says(native, `ada ${i}`);
    }
    for (const client of [ann, bob]) await expect.poll(() => client.said.length, { timeout: 10_000 }).toBe(15);
    const heard = () =>
      socket.events(native).flatMap(({ type, data }) => (type === 'MessagePosted' ? [data.text] : []));
    await expect.poll(() => heard().length).toBe(15);
    expect(ann.said).toEqual(heard());
    expect(bob.said).toEqual(heard());
    expect((await ada.get(`/v1/rooms/${native}/messages`)).body.items.length).toBe(15);
    socket.close();
    await ann.hears({ event_type: 'leave', name: ada.username, msg: `${ada.username} has left the room.` });
  });

  it('that are closed end the connections in them', async () => {
    const ada = await register(service.url);
    const native = await ada.room({ visibility: 'public', name: 'Native stall' });
    const { body } = await door.get('/chats/native stall');
    const ann = await enter(body.id, 'Ann');
    await ada.client.call('closeRoom', { params: { id: native }, body: {} });
    expect(await ann.ended).toBe(1000);
    expect((await door.get(`/chats/${body.id}`)).status).toBe(404);
  });
});

describe('tokens', () => {
  let room: number;
  beforeAll(async () => {
    room = await door.room('Hidden Chat', 'hidden', '123abc123abc');
  });
  const ask = (wanted: number | string, body: object, token?: string) =>
    door.post(`/chats/${encodeURIComponent(wanted)}/token`, body, token);

  it('are not needed in public rooms', async () => {
    const { status, body } = await ask(1, { room_id: '1', secret: '', name: 'test_user' });
    expect([status, body]).toEqual([200, { status: true }]);
    expect((await ask(1, { name: 'test_user' })).body).toEqual({ status: true });
    expect((await door.get('/chats/1/token/renew')).body).toEqual({ status: true });
  });

  it.each([
    ['the number', () => room],
    ['the title', () => 'hidden chat'],
  ])('are given for the password, by %s', async (_, wanted) => {
    const { status, body } = await ask(wanted(), { room_id: `${wanted()}`, secret: '123abc123abc', name: 'test_user' });
    expect([status, body]).toEqual([
      201,
      { status: true, name: 'test_user', room_id: room, token: expect.any(String) },
    ]);
    expect(body.token.length).toBeGreaterThan(100);
    const [, claims] = body.token.split('.').map((part: string) => Buffer.from(part, 'base64url').toString());
    expect(JSON.parse(claims)).toMatchObject({ username: 'test_user', room_id: room, exp: expect.any(Number) });
    const renewed = await door.get(`/chats/${encodeURIComponent(wanted())}/token/renew`, body.token);
    expect([renewed.status, renewed.body]).toEqual([201, { ...body, token: expect.any(String) }]);
  });

  it('are refused', async () => {
    const answers = async (...given: Parameters<typeof ask>) => {
      const { status, body } = await ask(...given);
      return [status, body];
    };
    const wrong = refusal(304, 'Unauthorized operation', 'secret');
    for (const secret of ['incorrect_pwd', '', undefined])
      expect(await answers(room, { secret, name: 'Ann' })).toEqual([401, wrong]);
    expect(await answers(room, { secret: '123abc123abc', name: '' })).toEqual([
      400,
      refusal(303, 'Invalid JSON', 'name'),
    ]);
    expect(await answers(room, { secret: '123abc123abc', name: 'раypal' })).toEqual([
      400,
      refusal(303, 'Invalid JSON', 'name'),
    ]);
    expect(await answers('does not exist', { secret: '123abc123abc', name: 'Ann' })).toEqual([
      404,
      notFound('does not exist'),
    ]);
    for (const token of [undefined, 'nonsense']) {
      const { status, body } = await door.get(`/chats/${room}/token/renew`, token);
      expect([status, body]).toEqual([403, badToken]);
    }
    expect((await door.get('/chats/nowhere/token/renew')).status).toBe(404);
  });

  it('are not given for the name of a registered person, who is not admitted by name either', async () => {
    const { username } = await register(service.url);
    const taken = refusal(202, 'Client error: Duplicate username', 'name');
    for (const name of [username, username.toUpperCase()]) {
      const { status, body } = await ask(room, { secret: '123abc123abc', name });
      expect([status, body]).toEqual([400, taken]);
      // The old page shows nothing of a refusal here, but what is said when it joins.
      expect((await ask(1, { name })).body).toEqual({ status: true });
    }
    const impostor = knock(1);
    await impostor.opened;
    impostor.send({ event_type: 'join', name: username, color: 'red' });
    await impostor.hears({ event_type: 'send', name: 'chitchat', msg: 'A registered person has this name.' });
    expect(await impostor.ended).toBe(1008);
    expect(await namesIn(1)).not.toContain(username);
  });

  it('expire after an hour', async () => {
    const token = await door.token(room, '123abc123abc', 'Late');
    try {
      ahead = 59 * 60_000;
      expect((await door.get(`/chats/${room}/token/renew`, token)).status).toBe(201);
      ahead = 61 * 60_000;
      expect((await door.get(`/chats/${room}/token/renew`, token)).body).toEqual(badToken);
      expect(await knock(room, { token }).ended).toBe(403);
    } finally {
      ahead = 0;
    }
  });

  it.each(['kick', 'ban'])('end with a %s at once, and so does the connection', async (how) => {
    const name = `Victim of a ${how}`;
    const token = await door.token(room, '123abc123abc', name);
    const client = await enter(room, name, token);
    const [native, guest] = [await nativeRoom('Hidden Chat'), await guestCalled(name)];
    if (how === 'kick') await admin.delete(`/v1/rooms/${native}/members/${guest}`);
    else await admin.put(`/v1/rooms/${native}/bans/${guest}`, { reason: 'a test' });
    expect(await client.ended).toBe(1000);
    expect((await door.get(`/chats/${room}/token/renew`, token)).body).toEqual(badToken);
    expect((await door.delete(`/chats/${room}`, token)).body).toEqual(badToken);
    expect(await knock(room, { token }).ended).toBe(403);
    const again = await ask(room, { secret: '123abc123abc', name });
    expect(again.status).toBe(how === 'kick' ? 201 : 401);
    expect((await door.get(`/chats/${room}/token/renew`, token)).body).toEqual(badToken);
  });

  it('end with a suspension, also after it is lifted', async () => {
    const token = await door.token(room, '123abc123abc', 'Suspended');
    const [client, elsewhere] = [await enter(room, 'Suspended', token), await enter(1, 'Suspended')];
    const guest = await guestCalled('Suspended');
    await admin.patch(`/v1/users/${guest}`, { suspended: true, reason: 'a test' });
    for (const one of [client, elsewhere]) expect(await one.ended).toBe(1008);
    await expect
      .poll(async () => (await door.get(`/chats/${room}/token/renew`, token)).status, { timeout: 2_000 })
      .toBe(403);
    expect((await ask(room, { secret: '123abc123abc', name: 'Suspended' })).body).toEqual(
      refusal(304, 'Unauthorized operation', 'name'),
    );
    const again = knock(1);
    await again.opened;
    again.send({ event_type: 'join', name: 'Suspended', color: 'red' });
    expect(await again.ended).toBe(1008);
    await admin.patch(`/v1/users/${guest}`, { suspended: false });
    expect((await door.get(`/chats/${room}/token/renew`, token)).status).toBe(403);
    expect((await ask(room, { secret: '123abc123abc', name: 'Suspended' })).status).toBe(201);
  });

  it('end when the password changes', async () => {
    const id = await door.room('Changing locks', 'private', 'password123');
    const token = await door.token(id, 'password123', 'Ann');
    await admin.client.call('changeRoom', {
      params: { id: await nativeRoom('Changing locks') },
      body: { password: 'another password' },
    });
    expect((await door.get(`/chats/${id}/token/renew`, token)).body).toEqual(badToken);
  });
});

describe('sockets', () => {
  let room: number;
  beforeAll(async () => {
    room = await door.room('Public Test Chat');
  });

  it('announce who joins, talks and leaves to everyone in the room', async () => {
    const ann = await enter(room, 'Test User', undefined, '');
    expect(ann.frames).toEqual([
      {
        ...{
          event_type: 'join',
          name: 'Test User',
          color: 'purple',
          msg: 'Test User entered the room.',
          room_id: room,
        },
        time: expect.stringMatching(RFC_3339),
      },
    ]);
    const bob = await enter(room, 'Bob', undefined, 'Red');
    ann.say('Test User', 'Hello <b>Bob</b>', 'green');
    for (const client of [ann, bob])
      expect(await client.hears({ event_type: 'send' })).toEqual({
        ...{ event_type: 'send', name: 'Test User', color: 'green', msg: 'Hello <b>Bob</b>', room_id: room },
        time: expect.stringMatching(RFC_3339),
      });
    expect((await door.get(`/chats/${room}`)).body.users).toEqual(
      expect.arrayContaining([
        { username: 'Bob', color: 'Red', last_activity: expect.stringMatching(RFC_3339), verified: false },
        { username: 'Test User', color: 'green', last_activity: expect.stringMatching(RFC_3339), verified: false },
      ]),
    );
    bob.send({ event_type: 'leave', name: 'Bob' });
    for (const client of [ann, bob])
      await client.hears({ event_type: 'leave', name: 'Bob', msg: 'Bob has left the room.', color: 'Red' });
    expect(await namesIn(room)).toEqual(['Test User']);
    bob.send({ event_type: 'join', name: 'Bobby', color: 'blue' });
    await ann.hears({ event_type: 'join', name: 'Bobby' });
    bob.socket.terminate();
    await ann.hears({ event_type: 'leave', name: 'Bobby', msg: 'Bobby has left the room.', room_id: room });
    expect(ann.frames.map(({ event_type, name }) => `${event_type} ${name}`)).toEqual([
      ...['join Test User', 'join Bob', 'send Test User', 'leave Bob', 'join Bobby', 'leave Bobby'],
    ]);
  });

  it('take the token as subprotocol, which is echoed, or in a header', async () => {
    const id = await door.room('Doorkeeper', 'private', 'password123');
    const token = await door.token(id, 'password123', 'Ann');
    const [ann] = [await enter(id, 'Ann', token)];
    expect(ann.socket.protocol).toBe(token);
    const bob = knock(id, { headers: { authorization: `Bearer ${await door.token(id, 'password123', 'Bob')}` } });
    await bob.opened;
    expect(bob.socket.protocol).toBe('');
    for (const refused of [knock(id), knock(id, { token: 'nonsense' }), knock(id, { token: `${token}x` })]) {
      expect(await refused.ended).toBe(403);
      expect(JSON.parse(refused.refusal)).toEqual(badToken);
    }
    const nowhere = knock('nowhere');
    expect([await nowhere.ended, JSON.parse(nowhere.refusal)]).toEqual([404, notFound('nowhere')]);
    const plain = await door.get(`/chats/${id}/ws`);
    expect([plain.status, plain.body]).toEqual([400, refusal(301, 'Could not establish session')]);
  });

  it('know who speaks, whatever a frame says', async () => {
    const ann = await enter(room, 'Ann');
    ann.send({
      event_type: 'send',
      name: 'Somebody else',
      msg: 'Who am I?',
      color: 'blue',
      verified: true,
      room_id: 1,
    });
    expect(await ann.hears({ msg: 'Who am I?' })).not.toHaveProperty('verified');
    expect(ann.frames.at(-1)).toMatchObject({ name: 'Ann', room_id: room });
    const id = await door.room('Known here', 'private', 'password123');
    const bob = knock(id, { token: await door.token(id, 'password123', 'Bob') });
    await bob.opened;
    bob.send({ event_type: 'join', name: 'Alice', color: 'blue' });
    await bob.hears({ event_type: 'join', name: 'Bob' });
  });

  it('refuse a name that is in use without a word, whatever its case, until it is free', async () => {
    const ann = await enter(room, 'Ann');
    const other = knock(room);
    await other.opened;
    for (const name of ['ann', 'ANN', 'Ann']) other.send({ event_type: 'join', name, color: 'red' });
    other.say('ann', 'nobody hears this');
    // Frames are handled in order, so this comes after the others were refused.
    other.send({ event_type: 'join', name: 'Anna', color: 'red' });
    await other.hears({ event_type: 'join', name: 'Anna' });
    expect([other.frames.length, ann.said]).toEqual([1, []]);
    expect(await namesIn(room)).toEqual(['Ann', 'Anna']);
    ann.close();
    await other.hears({ event_type: 'leave', name: 'Ann' });
    other.send({ event_type: 'leave', name: 'Anna' });
    other.send({ event_type: 'join', name: 'ann', color: 'red' });
    await other.hears({ event_type: 'join', name: 'ann' });
  });

  it('let a person come back at once', async () => {
    for (let i = 0; i < 5; i++) {
      const client = await enter(room, 'Reloading');
      client.socket.terminate();
    }
    const client = await enter(room, 'Reloading');
    client.say('Reloading', 'still here');
    await client.hears({ msg: 'still here' });
  });

  it('ignore invalid frames, and end with one that is too long', async () => {
    const ann = await enter(room, 'Ann');
    for (const bad of ['', 'hello', '[]', 'null', '{', '{"event_type":"dance","name":"Ann"}', '{"event_type":"send"}'])
      ann.socket.send(bad);
    ann.send({ event_type: 'send', name: 'Ann' });
    ann.send({ event_type: 'send', name: 'Ann', msg: 5 });
    ann.say('Ann', 'after all that');
    await ann.hears({ msg: 'after all that' });
    const frame = (size: number) => {
      const text = JSON.stringify({ event_type: 'send', name: 'Ann', color: 'blue', msg: '' });
      return text.replace('""', `"${'x'.repeat(size - text.length)}"`);
    };
    ann.socket.send(frame(MAX_FRAME_BYTES));
    await expect.poll(() => ann.said.length).toBe(2);
    ann.socket.send(frame(MAX_FRAME_BYTES + 1));
    expect(await ann.ended).toBe(1009);
  });

  it('send each message in a frame of its own, all of them and in order', async () => {
    const [ann, bob] = [await enter(room, 'Ann'), await enter(room, 'Bob')];
    const texts = Array.from({ length: 100 }, (_, i) => `number ${i} 你好 مرحبا`);
    for (const text of texts) ann.say('Ann', text);
    for (const client of [ann, bob]) await expect.poll(() => client.said, { timeout: 15_000 }).toEqual(texts);
  });

  it('show only the author why the rules refuse a message', async () => {
    const [ann, bob] = [await enter(room, 'Muted'), await enter(room, 'Bob')];
    const [native, guest] = [await nativeRoom('Public Test Chat'), await guestCalled('Muted')];
    await admin.put(`/v1/rooms/${native}/mutes/${guest}`, { until: new Date(Date.now() + 3_600_000).toISOString() });
    ann.say('Muted', 'can you hear me?');
    expect((await ann.hears({ event_type: 'send', name: 'chitchat' })).msg).toMatch(/muted/i);
    bob.say('Bob', 'no');
    await bob.hears({ msg: 'no' });
    expect(bob.said).toEqual(['no']);
  });

  it('open for pages of the same host, whatever the port and scheme, and for no others', async () => {
    for (const origin of ['https://127.0.0.1:8443', 'https://localhost', new URL(door.url).origin])
      await knock(room, { origin }).opened;
    for (const origin of ['https://example.org', 'null', 'http://127.0.0.1.example.org']) {
      expect(await knock(room, { origin }).ended).toBe(401);
      const foreign = await door.call('POST', '/chats', { title: 'Foreign', visibility: 'public' }, { origin });
      expect([foreign.status, foreign.body]).toEqual([401, refusal(304, 'Unauthorized operation', 'origin')]);
    }
  });

  it('make guests members while they are there', async () => {
    const native = await nativeRoom('Public Test Chat');
    const members = async () => JSON.stringify((await admin.get(`/v1/rooms/${native}/members`)).body.items);
    const ann = await enter(room, 'Fleeting');
    await expect.poll(members, { timeout: 10_000 }).toContain('Fleeting');
    ann.close();
    await expect.poll(members, { timeout: 10_000 }).not.toContain('Fleeting');
  });
});

describe('what the fork adds', () => {
  it('is the history: the newest messages, the oldest of them first, and [] when there is none', async () => {
    const id = await door.room('Chronicle');
    const history = async () => (await door.get(`/chats/events/${id}`)).body.data;
    const empty = await door.get(`/chats/events/${id}`);
    expect([empty.status, empty.body]).toEqual([201, { status: true, error: {}, data: [] }]);
    const ann = await enter(id, 'Ann', undefined, 'green');
    const texts = Array.from({ length: 60 }, (_, i) => `entry ${i}`);
    for (const text of texts) ann.say('Ann', text, 'green');
    await expect
      .poll(async () => (await history()).map(({ msg }: { msg: string }) => msg), { timeout: 15_000 })
      .toEqual(texts.slice(10));
    expect((await history())[0]).toEqual(ann.frames.find(({ msg }) => msg === 'entry 10'));
  });

  it('shows the history of other rooms to those with a token', async () => {
    const id = await door.room('Diary', 'private', 'password123');
    const token = await door.token(id, 'password123', 'Ann');
    (await enter(id, 'Ann', token)).say('Ann', 'Dear diary');
    await expect
      .poll(async () => (await door.get(`/chats/events/${id}`, token)).text, { timeout: 10_000 })
      .toContain('Dear diary');
    for (const foreign of [undefined, 'nonsense']) {
      const { status, body } = await door.get(`/chats/events/${id}`, foreign);
      expect([status, body]).toEqual([403, badToken]);
    }
    expect((await door.get('/chats/events/nowhere')).body).toEqual(notFound('nowhere'));
  });

  it('lets registered people sign in, and enter under their names with the token', async () => {
    const ada = await register(service.url);
    const { status, body } = await door.post('/auth', { username: ada.username.toUpperCase(), password });
    expect([status, body]).toEqual([
      201,
      { status: true, name: ada.username, color: 'purple', token: expect.any(String) },
    ]);
    const socket = await enter(1, ada.username, body.token);
    expect(socket.frames[0]).toMatchObject({ name: ada.username, verified: true });
    const id = await door.room('Registered', 'private', 'password123');
    const room = await door.post(`/chats/${id}/token`, { secret: 'password123', name: 'whoever' }, body.token);
    expect(room.body).toMatchObject({ name: ada.username });
    await enter(id, ada.username, room.body.token);
    await ada.post('/v1/auth/logout');
    await admin.delete(`/v1/users/${ada.id}/sessions`);
    expect(await socket.ended).toBe(1008);
    expect((await door.get(`/chats/${id}/token/renew`, room.body.token)).status).toBe(403);
  });

  it('takes connection, seat and token from a guest whose name is registered', async () => {
    const id = await door.room('Latecomers', 'private', 'password123');
    const token = await door.token(id, 'password123', 'Late-Comer');
    const guests = [await enter(1, 'Late-Comer'), await enter(id, 'Late-Comer', token)];
    await register(service.url, 'late-comer');
    for (const guest of guests) expect(await guest.ended).toBe(1008);
    for (const room of [1, id]) await expect.poll(() => namesIn(room)).not.toContain('Late-Comer');
    expect((await door.get(`/chats/${id}/token/renew`, token)).body).toEqual(badToken);
    expect(await knock(id, { token }).ended).toBe(403);
  });

  it('refuses wrong passwords and unknown names alike', async () => {
    const ada = await register(service.url);
    for (const shown of [
      { username: ada.username, password: 'wrong' },
      { username: 'nobody-here', password: 'wrong' },
    ]) {
      const { status, body } = await door.post('/auth', shown);
      expect([status, body]).toEqual([401, refusal(304, 'Unauthorized operation', 'password')]);
    }
    expect((await door.post('/auth', 'nonsense')).body).toEqual(refusal(303, 'Invalid JSON'));
  });
});

describe('pages', () => {
  it('have what the old page looks for, and run nothing that is not ours', async () => {
    const id = await door.room('Pages & more', 'private', 'password123');
    for (const path of ['/', `/chats/${id}/entrance`, '/err?msg=%3Cb%3Eoops']) {
      const { status, text, headers } = await door.get(path);
      expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      const [, nonce] = /script-src 'nonce-([0-9a-f]+)'/.exec(headers.get('content-security-policy') ?? '') ?? [];
      expect(text).toContain(`nonce="${nonce}"`);
      expect((await door.get(path)).text).not.toContain(`nonce="${nonce}"`);
      // A proxy in front of the old page has other files there.
      expect(text).not.toContain('/static/');
    }
    expect((await door.get('/err?msg=%3Cb%3Eoops')).text).toContain('Error: &#60;b&#62;oops!');
    const { text } = await door.get(`/chats/${id}/chatbox`);
    for (const element of ['id="chat-box"', 'id="msg"', 'id="send-btn"', 'Pages &#38; more'])
      expect(text).toContain(element);
    expect((await door.get('/chats/nowhere/entrance')).body).toEqual(notFound('nowhere'));
    expect((await door.get('/favicon.ico')).status).toBe(200);
    const nothing = await door.get('/nothing/here');
    expect([nothing.status, nothing.body.status]).toEqual([404, false]);
  });

  it('do not show the title of a hidden room to those without a token', async () => {
    const id = await door.room('Under the rose', 'hidden', 'password123');
    for (const path of ['entrance', 'chatbox'])
      expect((await door.get(`/chats/${id}/${path}`)).text).not.toContain('Under the rose');
    const token = await door.token(id, 'password123', 'Ann');
    expect((await door.get(`/chats/${id}/chatbox`, token)).text).toContain('Under the rose');
  });
});

describe('a shutdown', () => {
  it('keeps connections to the last, and everything is there again', async () => {
    const id = await door.room('Continuity', 'hidden', 'password123');
    const token = await door.token(id, 'password123', 'Ann');
    const ann = await enter(1, 'Ann');
    let ended = 0;
    ann.socket.once('close', () => {
      ended = performance.now();
    });
    await service.restart(async () => expect(await ann.ended).toBe(1001));
    expect(ended).toBeGreaterThan(0);
    expect((await door.get(`/chats/${id}`)).body.id).toBe(id);
    expect((await door.get('/chats/continuity')).body.id).toBe(id);
    const again = await enter(id, 'Ann', token);
    again.say('Ann', 'back');
    await again.hears({ msg: 'back' });
    expect(await namesIn(1)).toEqual([]);
  });
});
