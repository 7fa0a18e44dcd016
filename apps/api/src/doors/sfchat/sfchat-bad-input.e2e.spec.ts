import { request } from 'node:http';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  Chance,
  oddHeaders,
  oddParameters,
  oddSegments,
  seedOfThisRun,
  written,
  wrongDocuments,
  wrongInOneField,
} from '../../tests/bad-input/bad-values.testing.js';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { receivedSchema, textsSchema } from './api.js';
import { type ChatMember, FormVisitor, textsIn } from './sfchat-client.testing.js';

const chance = new Chance(seedOfThisRun());
const messages = '/api/v1/messages.json';

let service: TestService;
let sql: Sql;
let url: string;
let ada: ChatMember;
let bob: ChatMember;

beforeAll(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  service = await startTestService({ environment: { SFCHAT_PORT: `${port}` } });
  sql = postgres(service.databaseUrl, { max: 1 });
  ada = await new FormVisitor(url).create();
  bob = await new FormVisitor(url).join(ada.code);
  await ada.confirmAll();
  await bob.confirmAll();
});
afterAll(async () => {
  await sql?.end();
  await service?.stop();
});

interface Raw {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** Sends a request as it is, whatever is wrong with it. Null: Node itself would not send it. */
function send({
  method,
  path,
  headers = {},
  body,
}: Raw): Promise<{ status: number; type: string; text: string } | null> {
  return new Promise((resolve, reject) => {
    try {
      const { hostname, port } = new URL(url);
      const length = body ? { 'content-length': `${body.length}` } : {};
      const sent = request({ hostname, port, method, path, headers: { ...length, ...headers } }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text });
        });
      });
      sent.on('error', reject);
      sent.end(body);
    } catch {
      resolve(null);
    }
  });
}

const mine = () => ({ 'x-sfc-usertoken': ada.token, 'x-sfc-chattoken': ada.code });

/** What the door answers in SFChat's own format, that it is the caller's fault, and what comes of it. */
async function refusals(wrong: readonly Raw[]): Promise<string[]> {
  const before = await stored();
  const faults: string[] = [];
  for (const raw of wrong) {
    const answer = await send(raw);
    if (!answer) continue;
    const { status, text } = answer;
    const results = answer.type.includes('json') ? JSON.parse(text).results : null;
    const proper = status >= 400 && status < 500 && results?.code === status && typeof results.msg === 'string';
    if (!proper || Object.keys(results).length > 2)
      faults.push(`${raw.method} ${raw.what}: ${status} ${text.slice(0, 200)}`);
    if (text.length > 200) faults.push(`${raw.what}: echoed`);
  }
  expect(await stored(), `seed ${chance.seed}`).toEqual(before);
  expect(wrong.length).toBeGreaterThan(10);
  return faults;
}

async function stored(): Promise<object[]> {
  return sql`select count(*)::int as chats, (select count(*)::int from ephemeral.participants) as participants,
    (select count(*)::int from ephemeral.messages) as messages,
    (select sum(chats)::int from desk.ephemeral_chats) as counted from ephemeral.chats`;
}

describe(`bad input (BAD_INPUT_SEED=${chance.seed})`, () => {
  it.each([
    ['POST', textsSchema, 'msg'],
    ['DELETE', receivedSchema, '_id'],
  ] as const)(
    '%s messages: wrong documents, and fields that are wrong, missing or twice there',
    async (method, schema, field) => {
      const inner = schema.shape.data.shape.messages.element;
      const inPlace = (item: Buffer) =>
        written({ data: written({ messages: Buffer.concat([Buffer.from('['), item, Buffer.from(']')]) }) });
      const list = (bytes: Buffer) => written({ data: written({ messages: bytes }) });
      const wrong = [
        ...wrongDocuments(undefined, chance).map(({ what, bytes }) => ({ what, bytes })),
        ...wrongInOneField(inner, chance).map(({ what, bytes }) => ({ what, bytes: inPlace(bytes) })),
        ...['null', '{}', '"hello"', '1', '[null]', '[[]]', '["hello"]', '[{}]'].map((text) => ({
          what: `the list ${text}`,
          bytes: list(Buffer.from(text)),
        })),
        {
          what: 'a text of 100,000 characters',
          bytes: inPlace(written({ [field]: Buffer.from(`"${'Q'.repeat(100_000)}"`) })),
        },
        { what: 'more than fits', bytes: Buffer.alloc(200_000, ' ') },
      ].filter(({ bytes }) => !isRight(schema, bytes));
      const faults = await refusals(
        wrong.map(({ what, bytes }) => ({ what, method, path: messages, headers: mine(), body: bytes })),
      );
      expect(faults).toEqual([]);
    },
  );

  it("credentials that cannot be anybody's, or are somebody else's", async () => {
    const odd = [...oddHeaders, '0'.repeat(24), ada.code, ada.code.toUpperCase(), `${ada.token} `];
    const wrong = ['x-sfc-usertoken', 'x-sfc-chattoken'].flatMap((name) =>
      odd
        .filter((value) => value.trim() !== { ...mine() }[name as 'x-sfc-usertoken'])
        .flatMap((value) =>
          (['GET', 'POST', 'DELETE'] as const).map((method) => ({
            what: `${name}: ${value.slice(0, 30)}`,
            method,
            path: messages,
            headers: { ...mine(), [name]: value },
            body: method === 'GET' ? undefined : Buffer.from('{"data":{"messages":[]}}'),
          })),
        ),
    );
    expect(await refusals(wrong)).toEqual([]);
    for (const missing of ['x-sfc-usertoken', 'x-sfc-chattoken']) {
      const headers: Record<string, string> = mine();
      delete headers[missing];
      const answer = await send({ what: missing, method: 'GET', path: messages, headers });
      expect([answer?.status, JSON.parse(answer?.text ?? '')]).toEqual([
        403,
        { results: { code: 403, msg: 'Authentication credentials were not provided.' } },
      ]);
    }
  });

  it('places and methods that there are not', async () => {
    const paths = oddSegments.flatMap((segment) => [
      `/api/v1/${segment || '/'}`,
      `/api/${segment || '/'}/messages.json`,
      `/api/v1/messages.json/${segment}`,
    ]);
    const nowhere = [
      '/api/',
      '/api/messages.json',
      '/api/v2/messages.json',
      '/api/v1/messages.xml',
      '/api/v1/Messages.json',
      ...paths,
    ];
    const wrong: Raw[] = [
      ...nowhere
        .filter((path) => /^[!-~]+$/.test(path))
        .map((path) => ({ what: path.slice(0, 80), method: 'GET', path, headers: mine() })),
      ...['PUT', 'PATCH', 'OPTIONS'].map((method) => ({ what: 'messages', method, path: messages, headers: mine() })),
      ...['GET', 'POST', 'PUT', 'PATCH', 'OPTIONS'].map((method) => ({
        what: 'chat',
        method,
        path: '/api/v1/chat.json',
        headers: mine(),
      })),
      {
        what: 'a version that there is not',
        method: 'GET',
        path: messages,
        headers: { ...mine(), 'x-sfc-version': 'v9' },
      },
      { what: 'no page', method: 'GET', path: '/nowhere', headers: { 'content-type': 'application/json' } },
    ];
    expect(await refusals(wrong)).toEqual([]);
  });

  it('forms, pages and reports: refused for people in HTML, and never by falling over', async () => {
    const before = await stored();
    const odd = [
      ...oddParameters.map((text) => Buffer.from(text)),
      ...wrongDocuments(undefined, chance).map(({ bytes }) => bytes),
    ];
    const types = ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/json', 'hello'];
    const cookie = { cookie: `csrftoken=${'a'.repeat(32)}` };
    const raws: Raw[] = odd.flatMap((body, nr) => {
      const headers = { ...cookie, 'content-type': types[nr % types.length] as string };
      const chatToken = Buffer.concat([Buffer.from(`csrfmiddlewaretoken=${'a'.repeat(32)}&chat_token=`), body]);
      const form = { ...cookie, 'content-type': types[0] as string };
      return [
        { what: 'a form', method: 'POST', path: '/', headers, body },
        { what: 'a code', method: 'POST', path: '/', headers: form, body: chatToken },
        { what: 'a form without a token', method: 'POST', path: '/create-chat/', headers, body },
        {
          what: 'a report',
          method: 'POST',
          path: '/csp-report/',
          headers: { 'content-type': 'application/csp-report' },
          body,
        },
      ];
    });
    const pages = [...oddSegments, ...oddParameters].filter((text) => /^[!-~]*$/.test(text));
    for (const text of pages)
      raws.push(
        { what: 'a chat', method: 'GET', path: `/chat/${text}` },
        { what: 'a query', method: 'GET', path: `/?${text}` },
      );
    const statuses = new Set<number>();
    for (const raw of raws) {
      const answer = await send(raw);
      if (!answer) continue;
      statuses.add(answer.status);
      expect(answer.status, `${raw.method} ${raw.path} ${raw.body}`).toBeLessThan(500);
    }
    expect([...statuses].filter((status) => ![200, 400, 403, 404, 413, 414, 415].includes(status))).toEqual([]);
    expect(await stored()).toEqual(before);
  });

  it('has disturbed no one', async () => {
    expect((await ada.say('still here')).status).toBe(202);
    expect(textsIn(await bob.poll())).toEqual(['still here']);
  });
});

function isRight(schema: typeof textsSchema | typeof receivedSchema, bytes: Buffer): boolean {
  try {
    const read = schema.safeParse(JSON.parse(bytes.toString()));
    return read.success && JSON.stringify(read.data).length < 400 && !/"msg":""/.test(JSON.stringify(read.data));
  } catch {
    return false;
  }
}
