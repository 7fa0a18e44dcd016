import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { callList, statusesOf } from '@verbatim/protocol';
import postgres, { type Sql } from 'postgres';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesOf, exchange } from '../../tests/bad-input/raw-http.testing.js';
import { holdToContract, outcome } from '../../tests/harness/contract.testing.js';
import {
  freshName,
  register,
  signIn,
  type TestPerson,
  unknownId,
  Visitor,
} from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

let service: TestService;
let visitor: Visitor;
let ada: TestPerson;
let bob: TestPerson;
let room: string;

beforeAll(async () => {
  service = await startTestService();
  visitor = new Visitor(service.url);
  [ada, bob] = [await register(service.url), await register(service.url)];
  room = await ada.room();
});
afterAll(() => service.stop());

const concrete = (path: string) =>
  path
    .replace('{username}', 'nobody')
    .replace('{emoji}', '%F0%9F%91%8D')
    .replaceAll(/\{\w+\}/g, () => unknownId());

describe('the table of calls', () => {
  it.each(callList)('has a door: %s', async (_, call) => {
    const answer = await request(service.url)[call.method.toLowerCase() as 'get'](concrete(call.path)).send();
    if (call.auth === 'none') expect([...statusesOf(call).keys()]).toContain(answer.status);
    else expect(outcome(answer)).toBe('unauthenticated');
  });

  it.each(callList)('matches what the door answers to a signed-in person: %s', async (_, call) => {
    // The answer is held to the contract by the person's hands.
    const answer = await ada.send(call.method.toLowerCase() as 'get', concrete(call.path));
    expect([...statusesOf(call).keys()]).toContain(answer.status);
    if (call.path === '/v1/auth/logout') ada = await signIn(service.url, { ...ada, password: 'correct horse' });
  });
});

describe('what is not there', () => {
  it.each([
    '/v1',
    '/v1/',
    '/v1/nothing',
    '/v2/rooms',
    '/v1/rooms/',
    '/v1//rooms',
    '/health',
    '/v1/rooms/x/y/z',
    '/%00',
    '/v1/%ff',
  ])('is not found: %s', async (path) => {
    for (const method of ['get', 'post', 'delete'] as const) {
      const answer = await ada.send(method, path);
      expect(['not_found', 'invalid_request']).toContain(outcome(answer));
    }
  });

  it('differs from a path with other methods, which are named', async () => {
    const answer = await ada.delete('/v1/rooms');
    expect(outcome(answer)).toBe('method_not_allowed');
    expect(answer.headers.allow?.split(', ').sort()).toEqual(['GET', 'HEAD', 'POST']);
    expect(outcome(await visitor.post('/v1/about'))).toBe('method_not_allowed');
    expect(outcome(await ada.put(`/v1/rooms/${room}/members/me`))).toBe('method_not_allowed');
    expect(outcome(await ada.get('/v1/auth/login'))).toBe('method_not_allowed');
  });

  const literal = callList.filter(([, { path }]) => !path.includes('{'));
  const taken = new Map(literal.map(([, { path }]) => [path, new Set<string>()]));
  for (const [, { path, method }] of literal) taken.get(path)?.add(method);

  it.each([...taken])(
    'takes only the methods that it has, although a placeholder would match it: %s',
    async (path, has) => {
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((one) => !has.has(one))) {
        const answer = await ada.send(method.toLowerCase() as 'get', path);
        expect([method, outcome(answer)]).toEqual([method, 'method_not_allowed']);
        const allowed = answer.headers.allow?.split(', ').filter((one: string) => one !== 'HEAD');
        expect(allowed?.sort()).toEqual([...has].sort());
      }
    },
  );

  it.each(['QUERY', 'PROPFIND', 'LOCK', 'TRACE', 'REPORT'])(
    'does not take %s, with or without a body',
    async (method) => {
      const body = Buffer.from('x');
      for (const more of [{}, { body }, { body, headers: [['content-type', 'text/plain']] as const }]) {
        const status = async (target: string) =>
          (await exchange(service.url, bytesOf({ method, target, ...more }))).answer?.status;
        expect([await status('/v1/rooms'), await status('/v1/nowhere'), await status('/nowhere')]).toEqual([
          405, 404, 404,
        ]);
      }
    },
  );

  it('does not look at the body of a request that leads nowhere', async () => {
    const post = (path: string) => request(service.url).post(path).set('content-type', 'text/csv').send('a,b');
    expect([(await post('/v1/nowhere')).status, (await post('/v1/about')).status]).toEqual([404, 405]);
  });

  it('is the same for HEAD as for GET, without a body', async () => {
    const answer = await request(service.url).head('/v1/about');
    expect([answer.status, answer.text]).toEqual([200, undefined]);
  });
});

describe('a body', () => {
  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/json', 'application/', 'x/y'])(
    'that is empty needs no type: %s',
    async (type) => {
      const own = await ada.room();
      const { id } = await ada.says(own, 'x');
      const deletion = ada.delete(`/v1/rooms/${own}/messages/${id}`, undefined, { 'content-type': type });
      expect(outcome(await deletion)).toBe(200);
      expect(outcome(await ada.post(`/v1/rooms/${own}/close`, undefined, { 'content-type': type }))).toBe(200);
    },
  );

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)(
    'of another type than JSON is refused as documented: %s',
    async (method) => {
      for (const [, call] of callList.filter(([, one]) => one.method === method && one.auth === 'user')) {
        const answer = await request(service.url)
          [method.toLowerCase() as 'post'](concrete(call.path))
          .set({ authorization: `Bearer ${ada.accessToken}`, 'content-type': 'text/plain' })
          .send('hello');
        expect([call.path, [...statusesOf(call).keys()].includes(answer.status)]).toEqual([call.path, true]);
      }
    },
  );

  it('may begin with a byte order mark', async () => {
    const name = freshName();
    const answer = await request(service.url)
      .post('/v1/rooms')
      .set({ authorization: `Bearer ${ada.accessToken}`, 'content-type': 'application/json' })
      .send(`\uFEFF{"name": "${name}"}`);
    expect([answer.status, answer.body.name]).toEqual([201, name]);
  });
});

describe('problem details', () => {
  it('name the request, and what is wrong where', async () => {
    const path = `/v1/rooms/main/messages?limit=1000&order=up`;
    const answers = [await ada.get(path), await ada.get(path)];

    for (const { body } of answers) {
      expect(body).toMatchObject({
        type: 'urn:verbatim:error:invalid_request',
        title: 'The request is not valid',
        status: 400,
        code: 'invalid_request',
        retryable: false,
        errors: [
          { path: 'params.id', message: 'must be a UUID' },
          { path: 'query.order', message: 'must be one of newest, oldest' },
          { path: 'query.limit', message: 'must be at most 200' },
        ],
      });
    }
    expect(answers[0]!.body.traceId).not.toBe(answers[1]!.body.traceId);
  });

  it('do not repeat what was sent, and show nothing of the inside', async () => {
    const secret = 'Hunter2-Hunter2';
    const answers = [
      await visitor.post('/v1/auth/register', { username: secret, password: secret.slice(0, 5), [secret]: secret }),
      await visitor.post('/v1/auth/login', { username: secret, password: { secret } }),
      await ada.get(`/v1/rooms/${secret}?cursor=${secret}`),
      await ada.get(`/v1/${secret}`),
    ];
    for (const { status, text } of answers) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(text).not.toContain(secret.slice(0, 5));
      expect(text).not.toMatch(/\.ts|node_modules|select |postgres/i);
    }
  });
});

describe('the form of a request', () => {
  const login = '/v1/auth/login';
  const send = async (body: string | Buffer, type: string, path = login) => {
    const call = request(service.url).post(path).set('authorization', `Bearer ${ada.accessToken}`);
    const answer = await call.set('content-type', type).send(body as string);
    holdToContract('post', path, answer);
    return answer;
  };

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    'nonsense',
  ])('is JSON, not %s', async (type) => {
    expect(outcome(await send('{"username":"ada","password":"x"}', type))).toBe('unsupported_media_type');
  });

  it.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'])(
    'may be named %s',
    async (type) => {
      expect(outcome(await send('{"username":"nobody","password":"x"}', type))).toBe('unauthenticated');
    },
  );

  it.each([
    ['a broken text', '{"username":'],
    ['a comment', '{/**/}'],
    ['two texts', '{}{}'],
    ['UTF-8 that is none', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
    ['a byte order mark', Buffer.from('\ufeff{}')],
    ['no object', '"ada"'],
    ['null', 'null'],
    ['nothing', ''],
    ['depth', `${'['.repeat(30_000)}${']'.repeat(30_000)}`],
    ['a prototype', '{"__proto__":{"username":"ada"}}'],
  ])('is not %s', async (_, body) => {
    expect(outcome(await send(body, 'application/json'))).toBe('invalid_request');
  });

  it('may leave out a body of which nothing is needed', async () => {
    const own = await ada.room();
    expect(outcome(await send('', 'application/json', `/v1/rooms/${own}/members`))).toBe(200);
    expect(outcome(await ada.post(`/v1/rooms/${own}/close`))).toBe(200);
  });

  it('has an end: 128 KiB', async () => {
    const text = (bytes: number) => JSON.stringify({ username: 'x', password: 'x'.repeat(bytes) });
    expect(outcome(await send(text(131_000), 'application/json'))).toBe('invalid_request');
    expect(outcome(await send(text(131_100), 'application/json'))).toBe('too_large');
    // A client that goes on sending may not hear the answer; what counts is that it gets no further.
    const answer = await send(text(20_000_000), 'application/json').catch((error: NodeJS.ErrnoException) => error);
    expect('status' in answer ? answer.status : answer.code).toSatisfy((end) =>
      [413, 'EPIPE', 'ECONNRESET'].includes(end),
    );
    expect(outcome(await visitor.get('/health/live'))).toBe(200);
  });

  it('refuses an overlong path and an overlong header with their own errors', async () => {
    expect(outcome(await ada.get(`/v1/rooms/${'x'.repeat(600)}`))).toSatisfy((code) =>
      ['not_found', 'invalid_request'].includes(String(code)),
    );
    expect(outcome(await ada.get(`/v1/search?q=${'x'.repeat(5_000)}`))).toBe('invalid_request');
  });

  it.each([
    'application/json',
    '*/*',
    'application/*',
    'text/html, application/json;q=0.5',
    'application/problem+json',
  ])('may accept %s', async (accept) => {
    expect(outcome(await visitor.get('/v1/about', { accept }))).toBe(200);
  });

  it.each(['text/html', 'application/xml', 'application/json;q=0', 'image/*'])(
    'that accepts only %s is answered by a refusal',
    async (accept) => {
      expect(outcome(await visitor.get('/v1/about', { accept }))).toBe('not_acceptable');
    },
  );

  it('that is not HTTP is refused, and the service continues', async () => {
    const { port } = new URL(service.url);
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('Good day, is this a chat?\r\n\r\n'));
      socket.on('data', (data) => {
        text += data;
      });
      socket.on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(outcome(await visitor.get('/health/live'))).toBe(200);
  });
});

describe('an Idempotency-Key', () => {
  const keyed = (key: string = randomUUID()) => ({ 'idempotency-key': key });

  const onDatabase = async (work: (sql: Sql) => Promise<unknown>) => {
    const sql = postgres(service.databaseUrl, { max: 1 });
    await work(sql).finally(() => sql.end());
  };
  const aDayPasses = (key: string) =>
    onDatabase((sql) => sql`update desk.idempotency set begun_at = begun_at - interval '24 hours' where key = ${key}`);

  it('makes no ticket good twice: calls that issue credentials issue new ones', async () => {
    const headers = keyed();
    const [first, second] = [
      await ada.post('/v1/auth/ticket', undefined, headers),
      await ada.post('/v1/auth/ticket', undefined, headers),
    ];
    expect(second.body.ticket).not.toBe(first.body.ticket);
  });

  it('makes repeating a write harmless: the first answer comes again', async () => {
    const headers = keyed();
    const body = { name: freshName() };
    const [first, again] = [await ada.post('/v1/rooms', body, headers), await ada.post('/v1/rooms', body, headers)];
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(first.body);
    expect((await bob.get(`/v1/rooms?q=${body.name}`)).body.items).toHaveLength(1);
  });

  it('counts for every write', async () => {
    const own = await ada.room();
    const { id } = await ada.says(own, 'x');
    const writes: [Parameters<TestPerson['send']>[0], string, object?][] = [
      ['post', `/v1/rooms/${own}/messages`, { text: 'again' }],
      ['patch', `/v1/rooms/${own}/messages/${id}`, { text: 'y' }],
      ['put', `/v1/rooms/${own}/messages/${id}/reactions/%F0%9F%91%8D`],
      ['delete', `/v1/rooms/${own}/messages/${id}`],
      ['post', `/v1/rooms/${own}/members`, { userId: bob.id }],
      ['patch', `/v1/rooms/${own}/members/${bob.id}`, { role: 'guest' }],
      ['delete', `/v1/rooms/${own}/members/${bob.id}`],
      ['put', `/v1/rooms/${own}/read`, { revision: 2 }],
      ['patch', `/v1/rooms/${own}`, { topic: 'x' }],
      ['post', `/v1/rooms/${own}/close`],
      ['patch', '/v1/me', { displayName: 'A' }],
      ['put', `/v1/direct/${bob.username}`],
    ];
    for (const [method, path, body] of writes) {
      const headers = keyed();
      const first = await ada.send(method, path, body, headers);
      const events = () => ada.all(`/v1/rooms/${own}/events`);
      const before = await events();
      const again = await ada.send(method, path, body, headers);
      expect([path, again.status, again.text]).toEqual([path, first.status, first.text]);
      expect(first.status).toBeLessThan(300);
      expect(await events()).toEqual(before);
    }
  });

  it('answers the first result although things have changed since', async () => {
    const own = await ada.room();
    const headers = keyed();
    const path = `/v1/rooms/${own}/members`;
    const first = await bob.post(path, {}, headers);
    await bob.delete(`${path}/me`);
    const again = await bob.post(path, {}, headers);
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect((await ada.get(`/v1/rooms/${own}`)).body.memberCount).toBe(1);
  });

  it('is for one request: another with the same key is a conflict', async () => {
    const headers = keyed();
    const path = `/v1/rooms/${room}/messages`;
    await ada.post(path, { text: 'one' }, headers);
    expect(outcome(await ada.post(path, { text: 'two' }, headers))).toBe('conflict');
    expect(outcome(await ada.post('/v1/rooms', { text: 'one' }, headers))).toBe('conflict');
    expect((await ada.get(`${path}?limit=1`)).body.items[0].text).toBe('one');
  });

  it('belongs to one person', async () => {
    const headers = keyed();
    const [name, other] = [freshName(), freshName()];
    await ada.post('/v1/rooms', { name }, headers);
    expect(outcome(await bob.post('/v1/rooms', { name: other }, headers))).toBe(201);
  });

  it('is free again after a refusal', async () => {
    const own = await ada.room({ password: 'sesame' });
    const headers = keyed();
    const path = `/v1/rooms/${own}/members`;
    expect(outcome(await bob.post(path, { password: 'wrong' }, headers))).toBe('forbidden');
    expect(outcome(await bob.post(path, { password: 'sesame' }, headers))).toBe(201);
  });

  it('has one effect when requests come at once; those too early are asked to retry', async () => {
    const own = await ada.room();
    const headers = keyed();
    const path = `/v1/rooms/${own}/messages`;
    const answers = await Promise.all(Array.from({ length: 10 }, () => ada.post(path, { text: 'at once' }, headers)));
    const outcomes = answers.map(outcome);
    expect(outcomes).toContain(201);
    for (const each of outcomes) expect([201, 'unavailable']).toContain(each);
    expect((await ada.post(path, { text: 'at once' }, headers)).status).toBe(201);
    expect((await ada.get(path)).body.items).toHaveLength(1);
  });

  it('outlives a restart', async () => {
    const headers = keyed();
    const body = { name: freshName() };
    const first = await ada.post('/v1/rooms', body, headers);
    await service.restart();
    [visitor, ada, bob] = [new Visitor(service.url), ada.at(service.url), bob.at(service.url)];
    const again = await ada.post('/v1/rooms', body, headers);
    expect([again.status, again.body]).toEqual([201, first.body]);
  });

  it('is new after 24 hours: the same request creates something else', async () => {
    const own = await ada.room();
    const creations = [
      ['/v1/rooms', () => ({ name: freshName() })],
      ['/v1/rooms', () => ({ name: freshName(), visibility: 'hidden' })],
      [`/v1/rooms/${own}/messages`, () => ({ text: 'good morning' })],
      [`/v1/rooms/${own}/invitations`, () => ({})],
    ] as const;
    for (const [path, body] of creations) {
      const headers = keyed();
      const first = await ada.post(path, body(), headers);
      await aDayPasses(headers['idempotency-key']);
      const second = await ada.post(path, body(), headers);
      expect([path, first.status, second.status]).toEqual([path, 201, 201]);
      expect(second.body.id).not.toBe(first.body.id);
    }
  });

  it('is new after 24 hours for a report of the same message, too', async () => {
    const own = await ada.room();
    await bob.post(`/v1/rooms/${own}/members`, {});
    const { id } = await bob.says(own, 'hm');
    const report = (headers: object) =>
      ada.post(`/v1/rooms/${own}/messages/${id}/reports`, { reason: 'odd' }, { ...headers });
    const headers = keyed();
    const first = await report(headers);
    expect(outcome(await ada.post(`/v1/rooms/${own}/reports/${first.body.id}/settle`, { outcome: 'dismissed' }))).toBe(
      200,
    );
    await aDayPasses(headers['idempotency-key']);
    const second = await report(headers);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body.id).not.toBe(first.body.id);
  });

  it('creates the same thing when repeated after its outcome was unknown', async () => {
    const headers = keyed();
    const body = { name: freshName() };
    const first = await ada.post('/v1/rooms', body, headers);
    await onDatabase(
      (sql) => sql`
      update desk.idempotency set status = null, sealed = null, fingerprint = null
      where key = ${headers['idempotency-key']}`,
    );
    const again = await ada.post('/v1/rooms', body, headers);
    expect([again.status, again.body.id]).toEqual([201, first.body.id]);
  });

  it.each(['', ' ', 'with space', 'ümlaut', 'x'.repeat(201)])(
    'is 1 to 200 visible ASCII characters, not %j',
    async (key) => {
      const answer = await ada.post('/v1/rooms', { name: freshName() }, keyed(encodeLatin(key)));
      expect(outcome(answer)).toBe('invalid_request');
      expect(answer.body.errors).toMatchObject([{ path: 'headers.idempotency-key' }]);
    },
  );

  /** Header values go out byte by byte. */
  const encodeLatin = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
});

describe('Verbatim-Position', () => {
  it('makes a read wait until it shows that position', async () => {
    const own = await ada.room();
    const socket = await ada.connect();
    for (let i = 0; i < 10; i++) {
      // An ack of the socket does not wait for the read models.
      const { data } = await socket.ask('post', { room: own, text: `message ${i}` });
      const headers = { 'verbatim-position': `${data.position}` };
      const [newest] = (await ada.get(`/v1/rooms/${own}/messages?limit=1`, headers)).body.items;
      expect(newest.revision).toBe(data.revision);
      expect((await ada.get(`/v1/rooms/${own}`, headers)).body.revision).toBeGreaterThanOrEqual(data.revision);
    }
    socket.close();
  });

  it('that the log does not have, as after a restored backup, shows everything there is', async () => {
    const name = freshName();
    await ada.post('/v1/rooms', { name });
    const answer = await ada.get(`/v1/rooms?q=${name}`, { 'verbatim-position': '999999999' });
    expect(answer.body.items).toMatchObject([{ name }]);
  });

  it.each(['x', '-1', '1.5', '1e3', ' ', '99999999999999999999'])('is a whole number, not %j', async (position) => {
    const answer = await ada.get('/v1/rooms', { 'verbatim-position': position });
    expect(outcome(answer)).toBe('invalid_request');
    expect(answer.body.errors).toMatchObject([{ path: 'headers.verbatim-position' }]);
  });
});
