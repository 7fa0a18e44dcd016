import { closeReasons } from '@verbatim/protocol';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcome } from '../tests/harness/contract.testing.js';
import {
  eventually,
  freshName,
  openSocket,
  password,
  register,
  type TestPerson,
  Visitor,
} from '../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../tests/harness/test-service.testing.js';

/** Wide enough that only the limit under test is reached. */
const wide = Object.fromEntries(
  ['SIGN_IN_ADDRESS', 'REGISTRATION', 'VISITORS', 'UPGRADES', 'WRITES', 'READS', 'SEARCH'].map((name) => [
    `LIMIT_${name}`,
    '100000/60',
  ]),
);
const environment = { ...wide, RATE_LIMITS: 'on', TRUST_PROXY: '1', LIMIT_SIGN_IN: '3/2' };

let one: TestService;
let other: TestService;
let sql: Sql;
beforeAll(async () => {
  one = await startTestService({ environment });
  other = await startTestService({ environment, beside: one });
  sql = postgres(one.databaseUrl, { onnotice: () => undefined });
});
afterAll(async () => {
  await sql.end();
  await other.stop();
  await one.stop();
});

let addresses = 0;
const freshAddress = () => `198.18.${++addresses >> 8}.${addresses & 255}`;
const from = (address = freshAddress()) => ({ 'x-forwarded-for': address });

/** Another service on the same database, with its own limits. */
async function withLimits<T>(limits: Record<string, string>, work: (service: TestService) => Promise<T>): Promise<T> {
  const service = await startTestService({ environment: { ...environment, ...limits }, beside: one });
  try {
    return await work(service);
  } finally {
    await service.stop();
  }
}

describe('a repeated proof of identity', () => {
  it('has to wait after three wrong proofs, at every replica, while signing in does not', async () => {
    const ada = await register(one.url);
    const proofs = [
      () => ada.post('/v1/auth/step-up', { code: '000000' }),
      () =>
        ada.at(other.url).put('/v1/me/password', { currentPassword: 'wrong password', newPassword: 'a new password' }),
      () => ada.post('/v1/me/deactivate', { password: 'wrong password' }),
    ];
    for (const prove of proofs) expect(outcome(await prove())).toBe('forbidden');
    for (const service of [one, other])
      expect(outcome(await ada.at(service.url).post('/v1/auth/step-up', { password }))).toBe('rate_limited');
    const login = await new Visitor(one.url).post('/v1/auth/login', { username: ada.username, password }, from());
    expect(login.status).toBe(200);
    await eventually(
      () => ada.post('/v1/auth/step-up', { password }),
      (answer) => answer.status < 300,
    );
  });
});

describe('signing in', () => {
  const tryIn = (service: TestService, username: string, secret: string, headers = from()) =>
    new Visitor(service.url).post('/v1/auth/login', { username, password: secret }, headers);

  it('has to wait after three wrong passwords at every replica, even with the right one', async () => {
    const { username } = await register(one.url);
    for (const service of [one, other, one])
      expect(outcome(await tryIn(service, username, 'wrong password'))).toBe('unauthenticated');
    for (const service of [one, other])
      for (const secret of [password, 'wrong password']) {
        const answer = await tryIn(service, username, secret);
        expect(outcome(answer)).toBe('rate_limited');
        expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
        expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(2);
      }
    await eventually(
      () => tryIn(other, username, password),
      (answer) => answer.status === 200,
    );
    // Success resets the count.
    for (const expected of ['unauthenticated', 'unauthenticated', 'unauthenticated', 'rate_limited'])
      expect(outcome(await tryIn(one, username, 'wrong password'))).toBe(expected);
  });

  it('counts all spellings of a name as one', async () => {
    const { username } = await register(one.url);
    for (const way of [` ${username}`, username.toUpperCase(), `\u00a0${username} `])
      expect(outcome(await tryIn(one, way, 'wrong password'))).toBe('unauthenticated');
    expect(outcome(await tryIn(one, `${username}  `, 'wrong password'))).toBe('rate_limited');
  });

  it('does not reveal whether there is such an account', async () => {
    const { username } = await register(one.url);
    const unknown = freshName();
    const answers = async (name: string) => {
      const responses = [];
      for (let i = 0; i < 5; i++) {
        const { status, body } = await tryIn(one, name, 'wrong password');
        responses.push({ status, ...body, traceId: '' });
      }
      return responses;
    };
    expect(await answers(unknown)).toEqual(await answers(username));
  });

  it('lets exactly three of many simultaneous attempts reach the password, over two replicas', async () => {
    const { username } = await register(one.url);
    const tries = Array.from({ length: 40 }, (_, i) => tryIn(i % 2 ? one : other, username, 'wrong password'));
    const outcomes = (await Promise.all(tries)).map(outcome);
    expect(outcomes.filter((each) => each === 'unauthenticated')).toHaveLength(3);
    expect(outcomes.filter((each) => each === 'rate_limited')).toHaveLength(37);
  });

  it('waits twice as long after each further failure, up to the maximum', async () => {
    const { username } = await register(one.url);
    const waits: number[] = [];
    for (let failures = 1; failures <= 5; failures++) {
      await eventually(
        () => tryIn(one, username, 'wrong password'),
        (answer) => answer.status === 401,
      );
      const answer = await tryIn(one, username, 'wrong password');
      if (answer.status === 429) waits.push(Number(answer.headers['retry-after']));
      else failures++;
    }
    expect(waits[0]).toBe(1);
    expect(waits.at(-1)).toBe(2);
  });

  it('records one event per lockout in the stream of the person, and none for unknown names', async () => {
    const person = await register(one.url);
    const lockouts = async (): Promise<number> => {
      const [row] = await sql<{ count: number }[]>`
        select count(*)::int as count from log.events
        where type = 'SignInLockedOut' and stream = ${`user-${person.id}`}`;
      return row?.count ?? 0;
    };
    const unknown = freshName();
    for (let i = 0; i < 6; i++) await tryIn(other, unknown, 'wrong password');
    for (let i = 0; i < 6; i++) await tryIn(i % 2 ? one : other, person.username, 'wrong password');
    await eventually(lockouts, (count) => count === 1);
    await eventually(
      () => tryIn(one, person.username, 'wrong password'),
      (answer) => answer.status === 401,
    );
    expect(await lockouts()).toBe(1);
    const [all] = await sql<{ count: number }[]>`
      select count(*)::int as count from log.events where type = 'SignInLockedOut' and stream not in (
        select stream from log.events where type = 'UserRegistered')`;
    expect(all?.count).toBe(0);
  });

  it('is limited by address too, whatever the names, and by network for IPv6', () =>
    withLimits({ LIMIT_SIGN_IN_ADDRESS: '4/60' }, async (service) => {
      const outcomes = [];
      for (let i = 1; i <= 6; i++)
        outcomes.push(outcome(await tryIn(service, freshName(), 'wrong password', from(`2001:db8:0:7::${i}`))));
      expect(outcomes).toEqual([...Array(4).fill('unauthenticated'), 'rate_limited', 'rate_limited']);
      expect(outcome(await tryIn(service, freshName(), 'wrong password', from('2001:db8:0:8::1')))).toBe(
        'unauthenticated',
      );
      // Successful sign-ins do not use up the allowance of their neighbours.
      const { username } = await register(one.url);
      const home = from();
      for (let i = 0; i < 6; i++) expect(outcome(await tryIn(service, username, password, home))).toBe(200);
    }));
});

it('registering is limited by address, exactly, over two replicas', () =>
  withLimits({ LIMIT_REGISTRATION: '5/600' }, (a) =>
    withLimits({ LIMIT_REGISTRATION: '5/600' }, async (b) => {
      const home = from();
      const enter = (service: TestService) =>
        new Visitor(service.url).post('/v1/auth/register', { username: freshName(), password }, home);
      const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => enter(i % 2 ? a : b)));
      const outcomes = answers.map(outcome);
      expect(outcomes.filter((each) => each === 201)).toHaveLength(5);
      expect(outcomes.filter((each) => each === 'rate_limited')).toHaveLength(7);
      const limited = await enter(a);
      expect(outcome(limited)).toBe('rate_limited');
      expect(Number(limited.headers['retry-after'])).toBeGreaterThan(100);
      const elsewhere = { username: freshName(), password };
      expect((await new Visitor(a.url).post('/v1/auth/register', elsewhere, from())).status).toBe(201);
    }),
  ));

describe('posting', () => {
  const limits = { LIMIT_POSTS: '5/60', LIMIT_POSTS_CONNECTION: '3/60' };

  it('is limited by connection and by account, over both doors', () =>
    withLimits(limits, async (service) => {
      const ada = (await register(one.url)).at(service.url);
      const room = await ada.room();
      const [first, second] = [await ada.connect(), await ada.connect()];
      for (let i = 0; i < 3; i++) expect((await first.ask('post', { room, text: `${i}` })).event).toBe('ack');
      const refused = await first.ask('post', { room, text: 'more' });
      expect([refused.event, refused.data.code]).toEqual(['error', 'rate_limited']);
      expect(refused.data.retryAfterMs).toBeGreaterThan(1_000);
      expect(refused.data.retryAfterMs).toBeLessThanOrEqual(20_000);
      expect((await second.ask('post', { room, text: 'x' })).event).toBe('ack');
      expect((await ada.post(`/v1/rooms/${room}/messages`, { text: 'y' })).status).toBe(201);
      const answer = await ada.post(`/v1/rooms/${room}/messages`, { text: 'z' });
      expect([outcome(answer), answer.headers['retry-after']]).toEqual([
        'rate_limited',
        expect.stringMatching(/^1[12]$/),
      ]);
      expect(await second.refused('react', { room, messageId: ada.id, emoji: '👍' })).toBe('rate_limited');
      // Other requests still work.
      expect((await second.ask('ping')).event).toBe('pong');
      expect((await ada.get(`/v1/rooms/${room}/messages`)).status).toBe(200);
      first.close();
      second.close();
    }));

  it('is limited for the bot of an address like for anyone', () =>
    withLimits(limits, async (service) => {
      const ada = (await register(one.url)).at(service.url);
      const hooks = `/v1/rooms/${await ada.room()}/incoming-webhooks`;
      const { path } = (await ada.post(hooks, { name: 'Build server' })).body;
      const post = () => new Visitor(service.url).post(path, { text: 'x' }, from());
      for (let i = 0; i < 5; i++) expect(outcome(await post())).toBe(201);
      const refused = await post();
      expect(outcome(refused)).toBe('rate_limited');
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(1);
    }));

  it('is one limit over replicas: what was spent at both is refilled at both', async () => {
    const few = { LIMIT_POSTS: '20/20' };
    await withLimits(few, (a) =>
      withLimits(few, async (b) => {
        for (const { url } of [a, b])
          await eventually(
            async () => (await new Visitor(url).get('/metrics')).text,
            (figures) => /^verbatim_other_replicas 3$/m.test(figures),
          );
        const ada = await register(one.url);
        const room = await ada.room();
        const [here, there] = [ada.at(a.url), ada.at(b.url)];
        const post = (person: TestPerson) => person.post(`/v1/rooms/${room}/messages`, { text: 'x' });
        const outcomes = (await Promise.all(Array.from({ length: 60 }, (_, i) => post(i % 2 ? here : there)))).map(
          outcome,
        );
        const given = outcomes.filter((each) => each === 201).length;
        expect(given).toBeGreaterThanOrEqual(20);
        // Two replicas gave credit for one second each.
        expect(given).toBeLessThanOrEqual(42);
        // Then both know what the other has allowed: the debt is longer than either could have alone.
        for (const person of [here, there])
          await eventually(
            () => post(person),
            ({ status, headers }) => status === 429 && Number(headers['retry-after']) > 3,
          );
      }),
    );
  });
});

it('concurrent requests of an account are limited', () =>
  withLimits({ LIMIT_REQUESTS: '1', LIMIT_SIGN_IN: '1000/1' }, async (service) => {
    const [ada, bob] = [(await register(one.url)).at(service.url), (await register(one.url)).at(service.url)];
    // Checking a password takes a while.
    const prove = (person: TestPerson) => person.post('/v1/auth/step-up', { password });
    const answers = await Promise.all([...Array.from({ length: 8 }, () => prove(ada)), prove(bob)]);
    expect(answers.at(-1)?.status).toBeLessThan(300);
    const own = answers.slice(0, -1);
    expect(own.filter(({ status }) => status < 300).length).toBeGreaterThanOrEqual(1);
    const refused = own.filter((answer) => outcome(answer) === 'rate_limited');
    expect(refused.length).toBeGreaterThanOrEqual(1);
    for (const { headers } of refused) expect(headers['retry-after']).toBe('1');
    expect((await prove(ada)).status).toBeLessThan(300);
  }));

describe('a connection', () => {
  it('that sends too many frames gets an error, and is closed when it continues', () =>
    withLimits({ LIMIT_FRAMES: '10/60' }, async (service) => {
      const ada = (await register(one.url)).at(service.url);
      const socket = await ada.connect();
      for (let i = 0; i < 10; i++) expect((await socket.ask('ping')).event).toBe('pong');
      expect(await socket.refused('ping')).toBe('rate_limited');
      expect(await socket.refused('nonsense')).toBe('rate_limited');
      for (let i = 0; i < 120; i++) socket.send('ping');
      expect(await socket.closed).toBe(closeReasons.rateLimited.code);
    }));

  it('is refused to an account or address that already has enough', () =>
    withLimits({ LIMIT_SOCKETS: '2', LIMIT_SOCKETS_ADDRESS: '3' }, async (service) => {
      const [ada, bob] = [(await register(one.url)).at(service.url), (await register(one.url)).at(service.url)];
      const headers = from();
      const open = async (person: TestPerson) => openSocket(service.url, { ticket: await person.ticket(), headers });
      const [first, second] = [await open(ada), await open(ada)];
      for (const socket of [first, second]) await socket.next('hello');
      expect(await (await open(ada)).closed).toBe(closeReasons.rateLimited.code);
      const third = await open(bob);
      await third.next('hello');
      expect(await (await open(bob)).closed).toBe(1006);
      first.close();
      await first.closed;
      const later = await eventually(
        async () => {
          const socket = await open(bob);
          const let_in = await Promise.race([socket.next('hello').then(() => true), socket.closed.then(() => false)]);
          return let_in ? socket : null;
        },
        (socket) => socket !== null,
      );
      for (const socket of [second, third, later]) socket?.close();
    }));

  it('is refused before the upgrade to an address that opens too many', () =>
    withLimits({ LIMIT_UPGRADES: '2/60' }, async (service) => {
      const ada = (await register(one.url)).at(service.url);
      const headers = from();
      for (let i = 0; i < 2; i++) {
        const socket = openSocket(service.url, { ticket: await ada.ticket(), headers });
        await socket.next('hello');
        socket.close();
      }
      const status = await new Promise((resolve) => {
        const { socket } = openSocket(service.url, { ticket: 'x', headers });
        socket.on('unexpected-response', (_, response) =>
          resolve([response.statusCode, response.headers['retry-after']]),
        );
      });
      expect(status).toEqual([429, '30']);
    }));
});

it('reading, searching, other changes, guesses at room passwords and visits have limits of their own', () =>
  withLimits(
    {
      LIMIT_READS: '3/60',
      LIMIT_SEARCH: '2/60',
      LIMIT_WRITES: '4/60',
      LIMIT_ROOM_PASSWORDS: '1/60',
      LIMIT_VISITORS: '3/60',
    },
    async (service) => {
      const ada = (await register(one.url)).at(service.url);
      const room = await (await register(one.url)).room({ password: 'sesame' });
      const results = async (times: number, ask: () => Promise<{ status: number; body: unknown }>) => {
        const outcomes = [];
        for (let i = 0; i < times; i++) outcomes.push(outcome((await ask()) as never));
        return outcomes;
      };
      expect(await results(4, () => ada.get('/v1/inbox'))).toEqual([200, 200, 200, 'rate_limited']);
      expect(await results(3, () => ada.get('/v1/search?q=x'))).toEqual([200, 200, 'rate_limited']);
      const guess = () => ada.post(`/v1/rooms/${room}/members`, { password: 'x' });
      expect(await results(2, guess)).toEqual(['forbidden', 'rate_limited']);
      expect(await results(3, () => ada.patch('/v1/me', { displayName: 'A' }))).toEqual([200, 200, 'rate_limited']);
      const headers = { ...from(), authorization: 'Bearer guess' };
      const visit = () => new Visitor(service.url).get('/v1/me', headers);
      expect(await results(4, visit)).toEqual([...Array(3).fill('unauthenticated'), 'rate_limited']);
    },
  ));

it('a client that waits when asked to gets its post through', () =>
  withLimits({ LIMIT_POSTS: '4/2' }, async (service) => {
    const ada = (await register(one.url)).at(service.url);
    const room = await ada.room();
    const posts = await Promise.all(Array.from({ length: 8 }, (_, i) => ada.client.post(room, `${i}`)));
    expect(new Set(posts.map(({ revision }) => revision)).size).toBe(8);
  }));
