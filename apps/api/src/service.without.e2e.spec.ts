import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { doors } from './doors/doors.js';
import { createDatabase, dropDatabase } from './tests/harness/database.testing.js';
import { register, Visitor } from './tests/harness/test-client.testing.js';
import { startTestService, type TestService, type TestServiceOptions } from './tests/harness/test-service.testing.js';
import { units } from './units/units.js';

let databaseUrl: string;
let service: TestService;
beforeAll(async () => {
  databaseUrl = await createDatabase();
  return () => dropDatabase(databaseUrl);
});
afterEach(() => service.stop());

const start = async (options: TestServiceOptions) => {
  service = await startTestService({
    databaseUrl,
    environment: { MASTER_KEY: Buffer.alloc(32, 1).toString('base64') },
    ...options,
  });
  return service.url;
};

/** The features that work on a service, one word each. */
async function working(url: string): Promise<string[]> {
  const trials: Record<string, () => Promise<unknown>> = {
    health: () => ok(fetch(`${url}/health/ready`)),
    metrics: () => ok(fetch(`${url}/metrics`)),
    docs: () => ok(fetch(`${url}/docs`)),
    rest: () => twoPeopleTalk(url),
    socket: async () => {
      const socket = await (await register(url)).connect();
      socket.close();
    },
    hooks: async () => {
      const person = await register(url);
      const room = await person.room();
      const made = await person.post(`/v1/rooms/${room}/incoming-webhooks`, { name: 'build' });
      const posted = await new Visitor(url).post(made.body.path, { text: 'done' });
      if (posted.status !== 201) throw new Error(`${posted.status}`);
    },
  };
  // Accounts are created through the REST door.
  const withoutRest = (await fetch(`${url}/v1/about`)).status === 404;
  const names = [];
  for (const [name, attempt] of Object.entries(trials)) {
    if (withoutRest && ['rest', 'socket', 'hooks'].includes(name)) continue;
    const works = await attempt().then(
      () => true,
      () => false,
    );
    if (works) names.push(name);
  }
  return names;
}

async function ok(response: Promise<Response>): Promise<void> {
  const { status } = await response;
  if (status !== 200) throw new Error(`${status}`);
}

async function twoPeopleTalk(url: string): Promise<void> {
  const [ada, bob] = [await register(url), await register(url)];
  const room = await ada.room();
  await bob.post(`/v1/rooms/${room}/members`, {});
  const posted = await ada.post(`/v1/rooms/${room}/messages`, { text: 'hello' });
  const { body } = await bob.get(`/v1/rooms/${room}/messages`);
  if (posted.status !== 201 || body.items.at(-1)?.text !== 'hello') throw new Error('the message did not arrive');
}

const everything = ['health', 'metrics', 'docs', 'rest', 'socket', 'hooks'];
const lost: Record<string, readonly string[]> = {
  rest: ['health', 'metrics', 'rest', 'socket', 'hooks'],
  websocket: ['socket'],
  'incoming-webhooks': ['hooks'],
  pages: ['docs'],
  metrics: ['metrics'],
};

describe('the service with one part left out', () => {
  it.each(doors.map(({ name }) => name))('still does everything else without the door %s', async (name) => {
    const url = await start({ doors: doors.filter((door) => door.name !== name) });
    expect(await working(url)).toEqual(everything.filter((one) => !lost[name]?.includes(one)));
  });

  it.each(units.map(({ name }) => name))('still does everything else without the unit %s', async (name) => {
    const url = await start({ units: units.filter((unit) => unit.name !== name) });
    expect(await working(url)).toEqual(everything.filter((one) => !lost[name]?.includes(one)));
  });

  it('answers in plain text where no door defines a format', async () => {
    const url = await start({ doors: [] });
    const response = await fetch(`${url}/v1/about`);
    expect(response.status).toBe(404);
  });
});
