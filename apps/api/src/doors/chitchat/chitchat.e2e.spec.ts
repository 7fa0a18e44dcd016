import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { register, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { ChatCaller, type ChatClient, freePort } from './chat-client.testing.js';

let service: TestService;
let admin: TestPerson;
let door: ChatCaller;
const open: ChatClient[] = [];

beforeAll(async () => {
  const port = await freePort();
  service = await startTestService({ environment: { CHITCHAT_PORT: `${port}` } });
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

describe('the main path', () => {
  it('creates a room, enters it and talks', async () => {
    const room = await door.room('Main path');
    const [ann, bob] = [await enter(room, 'Ann'), await enter(room, 'Bob', undefined, 'red')];
    await ann.hears({ event_type: 'join', name: 'Bob', msg: 'Bob entered the room.', color: 'red', room_id: room });
    ann.say('Ann', 'Hello Bob');
    for (const client of [ann, bob])
      await client.hears({ event_type: 'send', name: 'Ann', msg: 'Hello Bob', color: 'blue' });
    expect(
      (await door.get(`/chats/${room}`)).body.users.map(({ username }: { username: string }) => username).sort(),
    ).toEqual(['Ann', 'Bob']);
    bob.close();
    await ann.hears({ event_type: 'leave', name: 'Bob', msg: 'Bob has left the room.' });
    expect(ann.frames.map(({ event_type, name }) => `${event_type} ${name}`)).toEqual([
      ...['join Ann', 'join Bob', 'send Ann', 'leave Bob'],
    ]);
  });

  it('is the same conversation as at the native socket', async () => {
    const ada = await register(service.url);
    const native = await ada.room({ visibility: 'public', name: 'Native room' });
    const { body } = await door.get('/chats/native%20ROOM');
    const [ann, socket] = [await enter(body.id, 'Ann'), await ada.follow(native)];
    await ann.hears({ event_type: 'join', name: ada.username, verified: true });
    ann.say('Ann', 'from the old page');
    await ada.says(native, 'from the native API');
    await ann.hears({ event_type: 'send', name: ada.username, msg: 'from the native API', verified: true });
    await expect.poll(() => JSON.stringify(socket.events(native))).toContain('from the old page');
    expect(ann.said.toSorted()).toEqual(['from the native API', 'from the old page']);
    socket.close();
    await ann.hears({ event_type: 'leave', name: ada.username });
    expect(admin.username).toBe('admin');
  });
});
