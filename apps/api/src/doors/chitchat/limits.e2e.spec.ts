import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CuttingProxy } from '../../../../../libs/event-store/src/postgres/cutting-proxy.testing.js';
import { listeningLog } from '../../tests/faults/outage.testing.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { ChatCaller, type ChatClient } from './chat-client.testing.js';
import { seatLimits } from './seats.js';

let database: string;
let way: CuttingProxy;
let service: TestService;
let door: ChatCaller;
const open: ChatClient[] = [];

beforeAll(async () => {
  database = await createDatabase();
  way = await CuttingProxy.open(database);
  const port = await freePort();
  const environment = {
    ...{ CHITCHAT_PORT: `${port}`, RATE_LIMITS: 'on', LIMIT_VISITORS: '1000/60', LIMIT_GUESTS: '8/3600' },
    ...{
      LIMIT_POSTS_CONNECTION: '40/10',
      LIMIT_POSTS: '5000/1',
      LIMIT_ROOM_PASSWORDS: '3/60',
      LIMIT_FRAMES: '1000/60',
    },
  };
  service = await startTestService({ databaseUrl: way.url, environment, log: listeningLog().log });
  door = new ChatCaller(`http://127.0.0.1:${port}`);
});
afterEach(() => {
  for (const client of open.splice(0)) client.close();
});
afterAll(async () => {
  await service.stop();
  await way.close();
  await dropDatabase(database);
});

const enter = async (...given: Parameters<ChatCaller['enter']>) => {
  const client = await door.enter(...given);
  open.push(client);
  return client;
};
const tooMuch = {
  status: false,
  error: { code: 429, error: expect.stringMatching(/^Unknown error: That was too much/) },
};

describe('limits', () => {
  it('hold for guesses at the password of a room', async () => {
    const room = await door.room('Guessed at', 'private', 'password123');
    const guess = (secret: string) => door.post(`/chats/${room}/token`, { secret, name: 'Ann' });
    for (let i = 0; i < 3; i++) expect((await guess(`guess ${i}`)).status).toBe(401);
    const { status, body, headers } = await guess('password123');
    expect([status, body, Number(headers.get('retry-after'))]).toEqual([429, tooMuch, expect.any(Number)]);
  });

  it('hold for messages: only the author learns of it', async () => {
    const [ann, bob] = [await enter(1, 'Ann'), await enter(1, 'Bob')];
    for (let i = 0; i < 100; i++) ann.say('Ann', `number ${i}`);
    await ann.hears({
      event_type: 'send',
      name: 'chitchat',
      msg: 'That was too much in a short time. Try again later.',
    });
    await expect.poll(() => bob.said.length, { timeout: 15_000 }).toBeGreaterThanOrEqual(40);
    expect(bob.frames.filter(({ name }) => name === 'chitchat')).toEqual([]);
  });

  it('end a connection that sends far too many frames', async () => {
    const client = door.open(1);
    open.push(client);
    await client.opened;
    for (let i = 0; i < 1_100; i++) client.socket.send('hello');
    expect(await client.ended).toBe(1008);
  });

  it('hold for people in a room, who learn that it is full', async () => {
    const sql = postgres(database, { max: 1 });
    const [room] = await sql<{ id: string }[]>`select room_id as id from desk.chitchat_rooms where number = 1`;
    const people = Array.from({ length: seatLimits.people }, () => randomUUID());
    await sql`
      insert into desk.chitchat_seats (room_id, user_id, name, connection, color, alive_at)
      select ${room?.id ?? ''}, id, id::text, id, 'red', now() + interval '1 minute' from unnest(${people}::uuid[]) as id`;
    const client = door.open(1);
    open.push(client);
    await client.opened;
    client.send({ event_type: 'join', name: 'Late', color: 'red' });
    await client.hears({ name: 'chitchat', msg: 'The room is full.' });
    expect(await client.ended).toBe(1008);
    await sql`delete from desk.chitchat_seats where user_id = any(${people}::uuid[])`;
    await sql.end();
  });

  it('hold for rooms that are created from one address', async () => {
    let last = 201;
    for (let i = 0; i < 10 && last === 201; i++)
      last = (await door.post('/chats', { title: `Room ${i}`, visibility: 'public' })).status;
    expect(last).toBe(429);
    expect((await door.post('/chats', { title: 'One more', visibility: 'public' })).body).toEqual(tooMuch);
  });
});

describe('an outage of the database', () => {
  it('ends no conversation, because the page would not come back', async () => {
    const [ann, bob] = [await enter(1, 'Ann'), await enter(1, 'Bob')];
    way.refuse('resets', 1_500);
    ann.say('Ann', 'said during the outage');
    await expect.poll(async () => (await door.get('/chats/1')).status, { timeout: 15_000 }).toBe(200);
    ann.say('Ann', 'said after it');
    for (const client of [ann, bob]) await client.hears({ event_type: 'send', msg: 'said after it' });
    expect(ann.said.filter((text) => text === 'said during the outage').length).toBeLessThanOrEqual(1);
    expect(
      (await door.get('/chats/1')).body.users.map(({ username }: { username: string }) => username).sort(),
    ).toEqual([...['Ann', 'Bob']]);
  });
});
