import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { type ServiceProcess, startProcess } from '../../tests/harness/service-process.testing.js';
import { register, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { ChatCaller, type ChatClient } from './chat-client.testing.js';

let service: TestService;
let other: ServiceProcess;
let here: ChatCaller;
let there: ChatCaller;
let restart: () => Promise<ServiceProcess>;
const open: ChatClient[] = [];

beforeAll(async () => {
  const [port, otherPort] = [await freePort(), await freePort()];
  const MASTER_KEY = randomBytes(32).toString('base64');
  service = await startTestService({ environment: { CHITCHAT_PORT: `${port}`, MASTER_KEY } });
  // Its clients may change no rooms.
  restart = () =>
    startProcess({
      ...{ MASTER_KEY, DATABASE_URL: service.databaseUrl, VERBATIM_DATA: '/nonexistent' },
      ...{ CHITCHAT_PORT: `${otherPort}`, CHITCHAT_OPEN_ROOMS: 'off' },
    });
  other = await restart();
  [here, there] = [port, otherPort].map((at) => new ChatCaller(`http://127.0.0.1:${at}`)) as [ChatCaller, ChatCaller];
});
afterEach(() => {
  for (const client of open.splice(0)) client.close();
});
afterAll(async () => {
  await other.end('SIGTERM');
  await service.stop();
});

const enter = async (door: ChatCaller, ...given: Parameters<ChatCaller['enter']>) => {
  const client = await door.enter(...given);
  open.push(client);
  return client;
};
const namesAt = async (door: ChatCaller, room: number): Promise<string[]> =>
  (await door.get(`/chats/${room}`)).body.users.map(({ username }: { username: string }) => username).sort();

describe('two replicas', () => {
  it('have the same rooms, numbers and tokens', async () => {
    expect((await there.get('/chats/1')).body).toEqual((await here.get('/chats/1')).body);
    const [shown, hidden] = [await here.room('Shared'), await there.room('Shared secret', 'hidden', 'password123')];
    expect((await there.get('/chats/shared')).body.id).toBe(shown);
    expect((await here.get('/chats/shared%20secret')).body.id).toBe(hidden);
    expect((await there.post('/chats', { title: 'SHARED', visibility: 'public' })).body.error.code).toBe(102);
    const token = await here.token(hidden, 'password123', 'Ann');
    expect((await there.get(`/chats/${hidden}/token/renew`, token)).status).toBe(201);
  });

  it('create a room of one title once', async () => {
    for (const visibility of ['public', 'hidden']) {
      const room = {
        title: `Contested ${visibility}`,
        visibility,
        password: visibility === 'hidden' ? 'password123' : '',
      };
      const answers = await Promise.all([here, there, here, there].map((door) => door.post('/chats', room)));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 400, 400, 400]);
    }
  });

  it('let clients change rooms, or not, as each is set', async () => {
    const room = await here.room('Fixed');
    const change = { title: 'Fixed', description: 'changed', visibility: 'public' };
    expect((await there.put(`/chats/${room}`, change)).body.error).toEqual({
      code: 104,
      error: 'Room error: Unauthorized operation',
    });
    expect((await there.delete(`/chats/${room}`)).status).toBe(401);
    expect((await here.put(`/chats/${room}`, change)).status).toBe(200);
  });

  it('have one room: its people, colours and messages are the same at both, once and in one order', async () => {
    const room = await here.room('Crossroads');
    const [ann, bob] = [
      await enter(here, room, 'Ann', undefined, 'green'),
      await enter(there, room, 'Bob', undefined, 'red'),
    ];
    await ann.hears({ event_type: 'join', name: 'Bob', color: 'red' });
    for (const door of [here, there]) await expect.poll(() => namesAt(door, room)).toEqual(['Ann', 'Bob']);
    const ada = await register(service.url);
    const native = await nativeRoom(ada, 'Crossroads');
    await ada.post(`/v1/rooms/${native}/members`, {});
    for (let i = 0; i < 10; i++) {
      ann.say('Ann', `ann ${i}`, 'green');
      bob.say('Bob', `bob ${i}`, 'red');
      await ada.says(native, `ada ${i}`);
    }
    for (const client of [ann, bob]) await expect.poll(() => client.said.length, { timeout: 15_000 }).toBe(30);
    expect(ann.said).toEqual(bob.said);
    expect(bob.frames.find(({ msg }) => msg === 'ann 3')).toEqual(ann.frames.find(({ msg }) => msg === 'ann 3'));
    // Whoever has the name at one replica has it at both.
    const double = here.open(room);
    open.push(double);
    await double.opened;
    double.send({ event_type: 'join', name: 'BOB', color: 'blue' });
    double.say('BOB', 'nobody hears this');
    double.send({ event_type: 'join', name: 'Somebody else', color: 'blue' });
    await ann.hears({ event_type: 'join', name: 'Somebody else' });
    bob.close();
    await ann.hears({ event_type: 'leave', name: 'Bob', msg: 'Bob has left the room.' });
    expect(ann.frames.filter(({ name }) => name === 'BOB')).toEqual([]);
    await expect.poll(() => namesAt(there, room)).toEqual(['Ann', 'Somebody else']);
  });

  it('continue when one of them is killed: its people leave, and come back at the other', async () => {
    const room = await here.room('Survivors', 'private', 'password123');
    const token = await there.token(room, 'password123', 'Bob');
    const ann = await enter(here, room, 'Ann', await here.token(room, 'password123', 'Ann'));
    const bob = await enter(there, room, 'Bob', token);
    bob.say('Bob', 'before');
    await ann.hears({ msg: 'before' });
    await other.end('SIGKILL');
    expect(await bob.ended).toBe(1006);
    ann.say('Ann', 'alone');
    // The page joins once, and waits; it is not to write into the void meanwhile.
    const again = here.open(room, { token });
    open.push(again);
    await again.opened;
    again.send({ event_type: 'join', name: 'Bob', color: 'red' });
    await expect
      .poll(() => again.frames.map(({ event_type, name }) => `${event_type} ${name}`), { timeout: 30_000 })
      .toContain('join Bob');
    await ann.hears({ event_type: 'leave', name: 'Bob' });
    again.say('Bob', 'after');
    await ann.hears({ msg: 'after' });
    expect(ann.said).toEqual(['before', 'alone', 'after']);
    other = await restart();
    const history = await there.get(`/chats/events/${room}`, token);
    expect(history.body.data.map(({ msg }: { msg: string }) => msg)).toEqual(['before', 'alone', 'after']);
  }, 60_000);
});

async function nativeRoom(person: TestPerson, name: string): Promise<string> {
  const found = async () => (await person.get(`/v1/rooms?q=${name}`)).body.items;
  await expect.poll(async () => (await found()).length, { timeout: 10_000 }).toBe(1);
  return (await found())[0].id;
}
