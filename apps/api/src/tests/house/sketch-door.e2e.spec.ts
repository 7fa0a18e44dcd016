import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { doors } from '../../doors/doors.js';
import { freePort } from '../harness/free-port.testing.js';
import { password, register, signIn, type TestPerson } from '../harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../harness/test-service.testing.js';
import { sketchDoor } from './sketch-door.testing.js';

let service: TestService;
let admin: TestPerson;
let port: number;
const open: LineClient[] = [];

/** Somebody at a terminal. */
class LineClient {
  readonly lines: string[] = [];
  ended = false;
  private readonly socket: Socket = connect(port, '127.0.0.1');

  constructor() {
    open.push(this);
    this.socket.setEncoding('utf8').on('error', () => undefined);
    this.socket.on('data', (text) => this.lines.push(...`${text}`.split('\n').filter((line) => line !== '')));
    this.socket.on('close', () => {
      this.ended = true;
    });
  }

  type(line: string): void {
    this.socket.write(`${line}\n`);
  }

  async shows(line: string | RegExp): Promise<void> {
    await expect.poll(() => this.lines, { timeout: 10_000 }).toContainEqual(expect.stringMatching(line));
  }

  hangUp(): void {
    this.socket.destroy();
  }
}

/** A client that has signed in. */
async function clientOf({ username }: TestPerson): Promise<LineClient> {
  const client = new LineClient();
  client.type(`in ${username} ${password}`);
  await client.shows(`hello ${username}`);
  return client;
}

beforeAll(async () => {
  port = await freePort();
  const environment = {
    SKETCH_PORT: `${port}`,
    RATE_LIMITS: 'on',
    LIMIT_SIGN_IN: '3/60',
    LIMIT_REGISTRATION: '100/60',
  };
  service = await startTestService({ environment, doors: [...doors, sketchDoor] });
  admin = await signIn(service.url, administrator);
});
afterEach(() => {
  for (const client of open.splice(0)) client.hangUp();
});
afterAll(() => service.stop());

describe('a door of text over TCP', () => {
  it('follows a room: what is said through other doors comes once and in order', async () => {
    const ada = await register(service.url);
    const room = await ada.room();
    const client = await clientOf(ada);
    client.type(`follow ${room}`);
    await client.shows('following');
    for (const text of ['one', 'two', 'three']) await ada.post(`/v1/rooms/${room}/messages`, { text });
    await client.shows('three');
    const said = client.lines.filter((line) => line.startsWith(`${ada.username}: `));
    expect(said).toEqual(['one', 'two', 'three'].map((text) => `${ada.username}: ${text}`));
  });

  it('says what followers at the WebSocket receive', async () => {
    const ada = await register(service.url);
    const room = await ada.room();
    const socket = await ada.connect();
    await socket.ask('follow', { room });
    const client = await clientOf(ada);
    client.type(`say ${room} Grüße 你好 مرحبا`);
    await client.shows('said');
    const heard = () => JSON.stringify(socket.frames.filter(({ event }) => event === 'events'));
    await expect.poll(heard).toContain('Grüße 你好 مرحبا');
    socket.close();
  });

  it('refuses in its own words what the rules refuse', async () => {
    const [ada, bob] = [await register(service.url), await register(service.url)];
    const hidden = await ada.room({ visibility: 'hidden' });
    const client = new LineClient();
    client.type(`say ${hidden} hello`);
    await client.shows('! Sign in first.');
    client.type(`in ${bob.username} ${password}`);
    client.type(`follow ${hidden}`);
    await client.shows(/^! There is no such room/);
  });

  it('counts wrong passwords together with all other doors', async () => {
    const ada = await register(service.url);
    const wrong = { username: ada.username, password: 'not the password' };
    expect((await ada.post('/v1/auth/login', wrong)).status).toBe(401);
    const client = new LineClient();
    for (let tries = 2; tries <= 3; tries++) {
      client.type(`in ${ada.username} not the password`);
      await expect.poll(() => client.lines.length).toBe(tries - 1);
    }
    client.type(`in ${ada.username} ${password}`);
    await client.shows(/^! That was too much/);
    expect((await ada.post('/v1/auth/login', { username: ada.username, password })).status).toBe(429);
  });

  it('ends with a removal from the room, and with a suspension', async () => {
    const [ada, bob] = [await register(service.url), await register(service.url)];
    const room = await ada.room({ visibility: 'public' });
    expect((await bob.post(`/v1/rooms/${room}/members`, {})).status).toBeLessThan(300);
    const client = await clientOf(bob);
    client.type(`follow ${room}`);
    await client.shows('following');
    await ada.delete(`/v1/rooms/${room}/members/${bob.id}`);
    await client.shows('! removed');
    await admin.patch(`/v1/users/${bob.id}`, { suspended: true, reason: 'a test' });
    await client.shows('! revoked');
    await expect.poll(() => client.ended).toBe(true);
  });

  it('warns its clients before the service stops, and lets them go', async () => {
    const client = await clientOf(await register(service.url));
    await service.restart(async () => {
      await client.shows('! Come back soon.');
      await expect.poll(() => client.ended).toBe(true);
    });
    await clientOf(await register(service.url));
  });
});
