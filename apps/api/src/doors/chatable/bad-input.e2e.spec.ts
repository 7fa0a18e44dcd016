import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import fc from 'fast-check';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  LONG,
  oddHeaders,
  oddParameters,
  oddSegments,
  seedOfThisRun,
} from '../../tests/bad-input/bad-values.testing.js';
import { bytesOf, exchange, type HttpRequest } from '../../tests/bad-input/raw-http.testing.js';
import { type FrameParts, frame, opcode } from '../../tests/bad-input/raw-socket.testing.js';
import { leaks } from '../../tests/bad-input/verdict.testing.js';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { ChatableUser, registration, signJwt } from './chatable.testing.js';

let service: TestService;
let url: string;
let ada: ChatableUser;
let bob: ChatableUser;

beforeAll(async () => {
  const port = await freePort();
  service = await startTestService({ environment: { CHATABLE_PORT: `${port}` } });
  url = `http://127.0.0.1:${port}`;
  [ada, bob] = [await ChatableUser.register(url), await ChatableUser.register(url)];
});
afterAll(() => service?.stop());

const seed = seedOfThisRun();
const sample = <T>(arbitrary: fc.Arbitrary<T>, runs: number): T[] => fc.sample(arbitrary, { seed, numRuns: runs });

/** How much is stored of everything that a client could add to. */
async function stored(): Promise<object> {
  const sql = postgres(service.databaseUrl, { max: 1 });
  const [counts] = await sql`
    select (select count(*) from log.events) as events, (select count(*) from vault.sessions) as sessions,
      (select count(*) from vault.key_pairs) as pairs, (select count(*) from vault.contact_claims) as contacts,
      (select count(*) from vault.names) as names`;
  await sql.end();
  return { ...counts };
}

/** Sees to it that whatever is done stores nothing. */
async function storesNothing(what: () => Promise<unknown>): Promise<void> {
  const before = await stored();
  await what();
  expect(await stored()).toEqual(before);
}

const envelope = z.strictObject({
  status: z.enum(['success', 'fail']),
  data: z.array(z.looseObject({})),
  error: z.strictObject({ code: z.int(), message: z.string(), errors: z.record(z.string(), z.string()).nullable() }),
  page: z.int().min(1),
  current_page: z.int().min(0),
  per_page: z.literal(10),
});

/** What is wrong with an answer, in words; empty if nothing is. */
function flawsOf(status: number, body: string): string[] {
  if (status >= 500) return [`${status} ${body}`];
  if (/^(0\s*)?$/.test(body) && (status === 401 || status === 400 || status === 403)) return [];
  if (status === 404 && body === '404 page not found\n') return [];
  const read = envelope.safeParse(body.startsWith('{') ? JSON.parse(body) : null);
  if (!read.success) return [`no envelope: ${status} ${body.slice(0, 200)}`];
  const { error } = read.data;
  return error.code === status ? leaks(body) : [`${error.code} in the body of a ${status}`];
}

async function flawsOfAll(requests: readonly HttpRequest[]): Promise<string[]> {
  const flaws: string[] = [];
  for (const request of requests) {
    const { answer } = await exchange(url, bytesOf(request));
    const found = answer ? flawsOf(answer.status, answer.body) : ['no answer'];
    flaws.push(...found.map((flaw) => `${request.method} ${request.target}: ${flaw}`));
  }
  return flaws;
}

const form = [['content-type', 'application/x-www-form-urlencoded']] as const;
const signed = (more: object = {}) => [['authorization', `Bearer ${ada.jwt(more)}`]] as const;
const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

describe(`bad input (BAD_INPUT_SEED=${seed})`, () => {
  it('in addresses gets the envelope, or there is nothing there', () =>
    storesNothing(async () => {
      const targets = [
        ...oddSegments.map((segment) => `/api/thread/${latin1(segment)}`),
        ...oddParameters.flatMap((odd) => [`/api/inbox?${latin1(odd)}`, `/api/inbox?page=${latin1(odd)}`]),
        ...oddParameters.map((odd) => `/api/thread/${bob.username}?page=${latin1(odd)}`),
        ...['99999999999999999999', '1e9', '10001', '%00', '-1', '1&page=2'].map((page) => `/api/inbox?page=${page}`),
        ...['/', '/api', '/api/', '/api/inbox/', '//api/inbox', '/api/ws', '/api/ws/', '/v1/me', '*'],
      ].map((target) => target.replaceAll(/[\s\0]/g, '+'));
      const requests = targets.map((target) => ({ method: 'GET', target, headers: signed() }));
      const methods = ['PUT', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'POST', 'DELETE'].flatMap((method) =>
        ['/api/inbox', '/api/register', `/api/thread/${bob.username}`, '/api/ws'].map((target) => ({ method, target })),
      );
      expect(await flawsOfAll([...requests, ...methods])).toEqual([]);
    }));

  it('in headers and signatures is nobody', () =>
    storesNothing(async () => {
      const jwts = [
        ...oddHeaders,
        ...sample(fc.string({ unit: 'binary-ascii' }), 40),
        ...sample(fc.json(), 40).map((json) => signJwt(ada.token, json).replace(/[^.]*$/, 'x')),
        ...sample(fc.json(), 40).map((json) => `${Buffer.from(json).toString('base64url')}.e30.x`),
        ...['exp', 'nbf', 'iat', 'jti'].flatMap((claim) =>
          [null, {}, [], true, -1, 1e300, ''].map((value) => ada.jwt({ [claim]: value })),
        ),
        `a.${LONG.repeat(9_000)}.c`,
      ];
      const clean = jwts.map((jwt) => latin1(jwt).replaceAll(/[\r\n\0]/g, ''));
      const requests = clean.flatMap((jwt) => [
        { method: 'GET', target: '/api/inbox', headers: [['authorization', `Bearer ${jwt}`]] as const },
        { method: 'DELETE', target: `/api/auth_token?access_token=${encodeURIComponent(jwt.slice(0, 4_000))}x` },
      ]);
      expect(await flawsOfAll(requests)).toEqual([]);
      const headers = oddHeaders.flatMap((odd) =>
        ['clientid', 'content-type', 'accept', 'accept-encoding'].map((name) => ({
          ...{ method: 'POST', target: '/api/auth_token', body: Buffer.from('username=a') },
          headers: [[name, latin1(odd).replaceAll(/[\r\n\0]/g, '')]] as const,
        })),
      );
      expect(await flawsOfAll(headers)).toEqual([]);
    }));

  it('in forms is named', () =>
    storesNothing(async () => {
      const values = [
        ...['', ' ', '\0', '\ufffd', '\u202e', '𐄂', 'İi', 'a'.repeat(5_000), "'; drop table users", '%', '<b>', '[]'],
        ...sample(fc.string({ unit: 'grapheme' }), 20),
      ];
      // What some fields may be is only known to be wrong beside another that is.
      const wrong = { phone: 'none' };
      const fields = Object.keys(registration());
      const bodies = fields.flatMap((field) =>
        values.map((value) => new URLSearchParams({ ...registration(), ...wrong, [field]: value }).toString()),
      );
      const bytes = [
        ...sample(fc.uint8Array({ maxLength: 300 }), 60).map((array) => Buffer.from(array)),
        ...[
          'a&b&&&=&=',
          'username=%zz&password=%',
          '%00=%00',
          `username=%ff${'&x=1'.repeat(3_000)}`,
          'username[]=a',
        ].map((text) => Buffer.from(text)),
      ];
      const targets = ['/api/register', '/api/auth_token'];
      const register = { method: 'POST', target: '/api/register', headers: form };
      const requests = targets.flatMap((target) => [
        ...bytes.map((body) => ({ method: 'POST', target, headers: form, body })),
        ...['application/json', 'multipart/form-data; boundary=x', 'text/plain', 'nonsense', ''].map((type) => ({
          ...{ method: 'POST', target, headers: [['content-type', type]] as const },
          body: Buffer.from('{"username":"ada"}'),
        })),
        { method: 'POST', target, body: Buffer.from('username=ada') },
        { method: 'POST', target },
      ]);
      const registrations = bodies.map((body) => ({ ...register, body: Buffer.from(body) }));
      expect(await flawsOfAll([...requests, ...registrations])).toEqual([]);
    }));

  it('a form that is too long is refused before it has arrived', () =>
    storesNothing(async () => {
      const body = Buffer.from(`username=${LONG.repeat(20_000)}`);
      const request = { method: 'POST', target: '/api/register', headers: form, body };
      const { answer } = await exchange(url, bytesOf(request));
      expect(answer?.status).toBe(413);
      expect(JSON.parse(answer?.body ?? '')).toMatchObject({ status: 'fail', error: { code: 413 } });
    }));

  it('that is no request of HTTP gets an answer or none', () =>
    storesNothing(async () => {
      const post = 'POST /api/register HTTP/1.1\r\nHost: localhost\r\n';
      const texts = [
        'hello\r\n\r\n',
        'GET /api/inbox\r\n\r\n',
        'GET /api/inbox HTTP/1.1\r\n\r\n',
        'GET /api/inbox HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
        'GET /api/inbox HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n',
        `${post}Content-Length: abc\r\n\r\n`,
        `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
        `${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
        `GET /api/inbox HTTP/1.1\r\nHost: localhost\r\nX: ${LONG.repeat(100_000)}\r\n\r\n`,
        `GET /api/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`,
        `GET /api/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      ];
      const flaws: string[] = [];
      for (const text of texts) {
        const { answer } = await exchange(url, Buffer.from(text), 1_000);
        if (answer) flaws.push(...flawsOf(answer.status, answer.body).map((flaw) => `${text.slice(0, 80)}: ${flaw}`));
      }
      expect(flaws).toEqual([]);
    }));

  it('in packets is passed over, and the socket stays open', () =>
    storesNothing(async () => {
      const socket = await ada.connect('?confirm=1');
      const packets = [
        ...sample(fc.json(), 60),
        ...sample(fc.string({ unit: 'grapheme' }), 30),
        ...[null, 1, true, [], {}, { a: [1] }, '', ' ', '\0', LONG.repeat(9_000), '\ud800'].flatMap((odd) => [
          JSON.stringify({ author: ada.username, recipient: odd, message: 'text' }),
          JSON.stringify({
            author: ada.username,
            recipient: bob.username,
            message: typeof odd === 'string' ? `${odd}` : odd,
          }).replace('" "', '"\\u200b"'),
        ]),
        `{"recipient":"${bob.username}","message":"text","recipient":7}`,
        `${'['.repeat(50_000)}`,
        '{"__proto__":{"recipient":"x"}}',
      ];
      const expected = packets.filter((packet) => !isMessage(packet));
      for (const packet of expected) socket.send(packet);
      await expect.poll(() => socket.packets.length, { timeout: 15_000 }).toBe(expected.length);
      expect(socket.packets.flatMap(({ id: _, ...rest }) => flawsOf(rest.error?.code, JSON.stringify(rest)))).toEqual(
        [],
      );
      expect(socket.packets.every(({ status }) => status === 'fail')).toBe(true);
      socket.close();
    }));

  it('in frames ends the connection at most', () =>
    storesNothing(async () => {
      const text = JSON.stringify({ recipient: bob.username, message: 'never whole' });
      const odd: FrameParts[][] = [
        [{ payload: text, masked: false }],
        [{ payload: text, reserved: 1 }],
        [{ payload: text, opcode: 3 }],
        [{ payload: text, opcode: opcode.continuation }],
        [{ payload: Buffer.from([0xff, 0xfe]) }],
        [{ payload: '', length: 2n ** 40n }],
        [{ payload: '', opcode: opcode.ping, final: false }],
        [{ payload: LONG.repeat(200), opcode: opcode.ping }],
        [{ payload: 'x', opcode: opcode.close }],
        Array.from({ length: 300 }, (_, i) => ({ payload: '[', final: false, opcode: i === 0 ? 1 : 0 })),
        Array.from({ length: 3_000 }, () => ({ payload: '', opcode: opcode.ping })),
      ];
      const random = sample(fc.uint8Array({ maxLength: 200 }), 20).map((array) => Buffer.from(array));
      const all = [...odd.map((frames) => Buffer.concat(frames.map(frame))), ...random];
      await Promise.all(all.map((bytes) => sendRaw(bytes)));
      const socket = await ada.connect();
      socket.close();
      expect(await socket.closed).toBe(1005);
    }));
});

/** Whether a packet would become a message, which bad ones must not. */
function isMessage(packet: string): boolean {
  try {
    const { recipient, message } = JSON.parse(packet);
    return (
      recipient === bob.username &&
      typeof message === 'string' &&
      /[\p{L}\p{N}\p{S}\p{P}]/u.test(message) &&
      message.length <= 8_000 &&
      message.isWellFormed()
    );
  } catch {
    return false;
  }
}

/** Opens a socket, sends bytes on it, and leaves when the service does, or a moment later. */
async function sendRaw(bytes: Buffer): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  const handshake = bytesOf({
    ...{ method: 'GET', target: '/api/ws' },
    headers: [
      ...signed(),
      ...([
        ['upgrade', 'websocket'],
        ['connection', 'upgrade'],
        ['sec-websocket-version', '13'],
      ] as const),
      ['sec-websocket-key', randomBytes(16).toString('base64')],
    ],
  })
    .toString('latin1')
    .replace('connection: close\r\n', '');
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(Buffer.from(handshake, 'latin1'));
  await new Promise<void>((resolve) => socket.once('data', () => resolve()));
  socket.resume().end(bytes);
  await ended;
}
