import { emailAddress, limits, normalize, titleProblem, visibleTextProblem } from '@verbatim/domain';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  Chance,
  type Odd,
  oddHeaders,
  oddParameters,
  oddSegments,
  rightObject,
  seedOfThisRun,
  wrongDocuments,
  wrongInOneField,
} from '../../tests/bad-input/bad-values.testing.js';
import { bytesOf, type Exchange, exchange, type HttpRequest } from '../../tests/bad-input/raw-http.testing.js';
import { leaks } from '../../tests/bad-input/verdict.testing.js';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { rowsKept } from '../../tests/harness/rows-kept.testing.js';
import { administrator, startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { cookieOf, MakechatClient } from './makechat-client.testing.js';

const seed = seedOfThisRun();
const refusals = [400, 401, 403, 404, 405, 406, 413, 753];

const title = z.string().refine((text) => titleProblem(normalize(text), limits.roomName) === null);
const visible = (most: number) => z.string().refine((text) => visibleTextProblem(normalize(text), 1, most) === null);
const flags = { is_open: z.boolean().optional(), is_visible: z.boolean().optional() };

/** What each call takes. Whatever is right for it is not sent. */
const calls: readonly (readonly [method: string, path: string, schema: z.ZodType])[] = [
  [
    'POST',
    '/api/register',
    z.object({
      username: z.string().regex(/^[a-zA-Z0-9_-]{3,32}$/),
      email: z.string().refine((text) => emailAddress(text) !== null),
      password1: z.string().regex(/^[ -~]{10,256}$/),
      password2: z.string().regex(/^[ -~]{10,256}$/),
    }),
  ],
  ['POST', '/api/login', z.object({ username: z.string(), password: z.string() })],
  ['POST', '/api/tokens', z.object({ name: visible(limits.tokenName) })],
  ['POST', '/api/rooms', z.object({ name: title, ...flags })],
  ['PUT', '/api/rooms/{room}', z.object({ name: title.optional(), ...flags, members: z.array(z.string()).optional() })],
  [
    'PATCH',
    '/api/rooms/{room}',
    z.object({ name: title.optional(), ...flags, members: z.array(z.string()).optional() }),
  ],
  ['POST', '/api/messages', z.object({ text: visible(limits.messageText), rooms: z.array(z.string()) })],
];

let service: TestService;
let url: string;
let sql: Sql;
let cookie: string;
let room: string;
let kept: Record<string, number>;

beforeAll(async () => {
  const port = await freePort();
  service = await startTestService({ environment: { MAKECHAT_PORT: `${port}` } });
  url = `http://127.0.0.1:${port}`;
  const anybody = new MakechatClient(url);
  cookie = cookieOf(await anybody.post('/api/login', administrator));
  const admin = anybody.withCookie(cookie);
  room = (await admin.post('/api/rooms', { name: 'The room' })).json._id.$oid;
  // What is shown for the first time gets its id.
  for (const path of ['/api/users', '/api/rooms', `/api/members?room=${room}`, '/api/tokens']) await admin.get(path);
  sql = postgres(service.databaseUrl, { max: 1 });
  kept = await rowsKept(sql);
});
afterAll(async () => {
  console.log(`BAD_INPUT_SEED=${seed}`);
  await sql.end();
  await service.stop();
});

/** Sends a request as an administrator, whom nothing but its form can keep from anything. */
const send = (request: HttpRequest): Promise<Exchange> =>
  exchange(url, bytesOf({ ...request, headers: [['cookie', `session=${cookie}`], ...(request.headers ?? [])] }));

/** What is wrong with the answer to a bad request, in words. `alsoFine`: a request that is not wrong after all. */
function flawsOf({ answer, ended }: Exchange, alsoFine: readonly number[] = []): string[] {
  if (!answer) return [ended ? 'hung up without an answer' : 'no answer came'];
  const { status, body, raw } = answer;
  if (alsoFine.includes(status)) return [];
  const flaws = leaks(raw.replace(/'Invalid Mail-address: [^"]*/, ''));
  if (!refusals.includes(status)) flaws.push(`answered ${status} ${body.slice(0, 300)}`);
  if (body !== '' && !/^[ -~]*$/.test(body)) flaws.push('not ASCII');
  if (body !== '' && !isRefusal(body)) flaws.push(`no refusal of makechat: ${body.slice(0, 300)}`);
  return flaws;
}

function isRefusal(body: string): boolean {
  try {
    return z.object({ title: z.string().min(1), description: z.string().min(1) }).safeParse(JSON.parse(body)).success;
  } catch {
    return body.startsWith('<?xml');
  }
}

type Case = readonly [what: string, request: HttpRequest, alsoFine?: readonly number[]];

/** Requests sent at a time. */
const AT_ONCE = 8;

/** Sends all of them and returns what was wrong, each with the case. */
async function tryAll(cases: readonly Case[]): Promise<string[]> {
  const flaws: string[] = [];
  const queue = cases.values();
  const work = async () => {
    for (const [what, request, alsoFine] of queue)
      flaws.push(...flawsOf(await send(request), alsoFine).map((flaw) => `${what}: ${flaw}`));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return flaws;
}

const json = ['content-type', 'application/json'] as const;

describe('bad input', () => {
  it.each(calls)('%s %s refuses bodies that are wrong', async (method, path, schema) => {
    const chance = new Chance(seed);
    const target = path.replace('{room}', room);
    const wrong: Odd[] = [...wrongInOneField(schema, chance), ...wrongDocuments(schema, chance)];
    const cases = wrong.map(({ what, bytes }) => [what, { method, target, headers: [json], body: bytes }] as const);
    expect(await tryAll(cases)).toEqual([]);
  });

  it.each([
    ['/api/rooms', ['offset', 'limit']],
    ['/api/users', ['offset', 'limit']],
    ['/api/tokens', ['offset', 'limit']],
    ['/api/messages', ['room', 'recipient', 'offset']],
    ['/api/members', ['room', 'limit']],
  ] as const)('GET %s takes odd parameters for nothing else than they are', async (path, names) => {
    const cases = names.flatMap((name) =>
      oddParameters.map(
        (value) =>
          [
            `${name}=${value}`,
            {
              method: 'GET',
              target: `${path}?${path === '/api/members' && name !== 'room' ? `room=${room}&` : ''}${name}=${value}`,
            },
            [200],
          ] as const,
      ),
    );
    expect(await tryAll(cases)).toEqual([]);
  });

  it.each([
    ['PUT', '/api/rooms/'],
    ['PATCH', '/api/rooms/'],
    ['DELETE', '/api/rooms/'],
    ['DELETE', '/api/tokens/'],
  ])('%s %s takes odd ids for ids of nothing', async (method, path) => {
    const body = method === 'DELETE' ? {} : { headers: [json], body: Buffer.from('{"name":"another name"}') };
    const cases = oddSegments.map(
      (segment) =>
        [segment, { method, target: `${path}${segment}`, ...body }, method === 'DELETE' ? [200] : []] as const,
    );
    expect(await tryAll(cases)).toEqual([]);
  });

  it.each(['x-auth-token', 'cookie', 'accept', 'verbatim-reason', 'content-type', 'content-length', 'host'])(
    'odd values of the header %s do no harm',
    async (name) => {
      const cases = oddHeaders.map(
        (value) => [value, { method: 'GET', target: '/api/ping', headers: [[name, value]] as const }, [200]] as const,
      );
      expect(await tryAll(cases)).toEqual([]);
    },
  );

  it('that is not HTTP is answered in the format of makechat', async () => {
    for (const bytes of ['\0\0\0\r\n\r\n', 'GET\r\n\r\n', 'GET /api/ping HTTP/1.1\r\nno colon\r\n\r\n'])
      expect(flawsOf(await exchange(url, Buffer.from(bytes)))).toEqual([]);
    expect(flawsOf(await send({ method: 'GET', target: '/%zz' }))).toEqual([]);
    expect(flawsOf(await send({ method: 'BREW', target: '/api/rooms' }))).toEqual([]);
  });

  it('stores nothing', async () => {
    expect(await rowsKept(sql)).toEqual(kept);
  });

  it('leaves right input working', async () => {
    const right = rightObject(z.object({ name: title }));
    const made = await send({
      method: 'POST',
      target: '/api/rooms',
      headers: [json],
      body: Buffer.from(JSON.stringify(right)),
    });
    expect(made.answer?.status).toBe(201);
  });
});
