import { isUtf8 } from 'node:buffer';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  Chance,
  LONG,
  oddHeaders,
  oddSegments,
  plainJson,
  rightObject,
  seedOfThisRun,
  wrongDocuments,
  wrongInOneField,
} from '../../tests/bad-input/bad-values.testing.js';
import { bytesOf, type Exchange, exchange, type HttpRequest } from '../../tests/bad-input/raw-http.testing.js';
import { frame, opcode } from '../../tests/bad-input/raw-socket.testing.js';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { rowsKept } from '../../tests/harness/rows-kept.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { ChatCaller, type ChatClient } from './chat-client.testing.js';

const optional = z.string().max(70).nullish();
const bodies: Record<string, { readonly path: string; readonly method: string; readonly schema: z.ZodType }> = {
  'a room': {
    ...{ method: 'POST', path: '/chats' },
    schema: z.object({
      title: z.string().min(2).max(70),
      description: optional,
      visibility: z.enum(['public', 'PUBLIC', 'Public']),
      password: z.literal('').nullish(),
    }),
  },
  'a change': {
    ...{ method: 'PUT', path: '/chats/1' },
    schema: z.object({
      title: z.string().min(2).max(70),
      description: optional,
      visibility: z.enum(['public', 'PUBLIC']),
    }),
  },
  'a wish for a token': {
    ...{ method: 'POST', path: '/chats/Locked/token' },
    schema: z.object({ secret: z.literal('hello'), name: z.string().min(1) }),
  },
  'a sign-in': {
    ...{ method: 'POST', path: '/auth' },
    schema: z.object({ username: z.literal('hello'), password: z.literal('hello hello hello') }),
  },
};

/** BAD_INPUT_SEED repeats a run. */
describe('bad input at the door of chitchat', () => {
  const seed = seedOfThisRun();
  let service: TestService;
  let door: ChatCaller;
  let sql: Sql;
  let kept: Record<string, number>;
  let token: string;
  let cases = 0;

  beforeAll(async () => {
    const port = await freePort();
    service = await startTestService({ environment: { CHITCHAT_PORT: `${port}` } });
    door = new ChatCaller(`http://127.0.0.1:${port}`);
    sql = postgres(service.databaseUrl, { max: 1 });
    await door.room('Locked', 'private', 'a good password');
    token = await door.token('Locked', 'a good password', 'Ann');
    await door.post('/auth', { username: 'hello', password: 'hello hello hello' });
    kept = await rowsKept(sql);
  });
  afterAll(async () => {
    console.log(`${cases} cases of bad input, BAD_INPUT_SEED=${seed}`);
    await sql.end();
    await service.stop();
  });

  const flawsOf = async <C extends { readonly what: string }>(
    tried: readonly C[],
    flaw: (one: C) => Promise<string | null>,
  ) => {
    const flaws: string[] = [];
    for (const one of tried) {
      const found = await flaw(one);
      if (found) flaws.push(`${one.what}: ${found}`);
      cases += 1;
    }
    return flaws;
  };

  /** What is wrong with a refusal, or null: it has the format of the door, is no fault of ours, and quotes nothing long. */
  function flawOfRefusal({ answer }: Exchange): string | null {
    if (!answer) return 'no answer';
    if (answer.status < 400 || answer.status >= 500) return `${answer.status} ${answer.body.slice(0, 200)}`;
    if (answer.raw.includes(LONG.repeat(250))) return 'it quotes the input';
    const read = refusal.safeParse(parsed(answer.body));
    return read.success ? null : `another format: ${answer.status} ${answer.body.slice(0, 200)}`;
  }
  const send = (request: HttpRequest) => exchange(door.url, bytesOf(request));
  const bearer = (credential: string) => ['authorization', `Bearer ${credential}`] as const;

  it.each(Object.entries(bodies))('%s of another form is refused', async (_, { method, path, schema }) => {
    const chance = new Chance(seed);
    const tried = [...wrongInOneField(schema, chance), ...wrongDocuments(schema, chance)];
    const flaws = flawsOf(tried, async ({ bytes }) => flawOfRefusal(await send({ method, target: path, body: bytes })));
    expect(await flaws).toEqual([]);
  });

  it('a body that is too large is refused, whatever length it declares', async () => {
    const right = plainJson(rightObject(bodies['a room']!.schema));
    const padded = Buffer.concat([right, Buffer.alloc(140_000, ' ')]);
    for (const headers of [[], [['content-length', '99999999999']]] as const)
      expect(flawOfRefusal(await send({ method: 'POST', target: '/chats', headers, body: padded }))).toBeNull();
  });

  const places = ['', '/token/renew', '/ws', '/entrance', '/chatbox'].map(
    (rest) => ['GET', (room: string) => `/chats/${room}${rest}`] as const,
  );
  it.each([
    ...places,
    ['GET', (room: string) => `/chats/events/${room}`] as const,
    ...['PUT', 'DELETE'].map((method) => [method, (room: string) => `/chats/${room}`] as const),
    ['POST', (room: string) => `/chats/${room}/token`] as const,
  ])('%s at rooms that nobody has is refused (%#)', async (method, pathOf) => {
    const body = method === 'GET' || method === 'DELETE' ? undefined : plainJson({ secret: 'x', name: 'Ann' });
    // Some of these are other paths, at which there are pages.
    const odd = oddSegments.filter((segment) => !/^(\.|\.\.|%2e%2e|)$/.test(segment));
    const flaws = flawsOf(
      odd.map((room) => ({ what: room.slice(0, 60), room })),
      async ({ room }) => flawOfRefusal(await send({ method, target: pathOf(room), body })),
    );
    expect(await flaws).toEqual([]);
  });

  it('credentials of no worth are refused', async () => {
    const [head, claims] = token.split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const bad = [
      ...oddHeaders,
      `${token}x`,
      `${head}.${claims}.`,
      `${none}.${claims}.`,
      token.slice(0, -4),
      LONG.repeat(5_000),
    ];
    const flaws = flawsOf(
      bad.map((credential) => ({ what: credential.slice(0, 60), credential })),
      async ({ credential }) =>
        flawOfRefusal(await send({ method: 'DELETE', target: '/chats/Locked', headers: [bearer(credential)] })),
    );
    expect(await flaws).toEqual([]);
  });

  it('methods and addresses that there are none of are refused', async () => {
    const tried = [
      ...['PATCH', 'OPTIONS', 'PUT', 'DELETE'].map((method) => ({ method, target: '/chats' })),
      ...['PATCH', 'OPTIONS', 'POST'].map((method) => ({ method, target: '/chats/1' })),
      ...[
        '/chats/',
        '/chats/1/',
        '/chats/1/ws/',
        '/static/..%2f..%2fpackage.json',
        '/static/',
        '/v1/rooms',
        '//',
        '*',
        '/%',
      ].map((target) => ({ method: 'GET', target })),
    ];
    const flaws = flawsOf(
      tried.map((request) => ({ what: `${request.method} ${request.target}`, request })),
      async ({ request }) => flawOfRefusal(await send(request)),
    );
    expect(await flaws).toEqual([]);
  });

  it('bytes that are hardly HTTP are refused', async () => {
    const get = 'GET /chats/1 HTTP/1.1\r\nHost: localhost\r\n';
    const tried = [
      ...['HELLO', 'GET /chats/1 HTTP/9.9\r\nHost: a\r\n\r\n', '\x16\x03\x01\x02\x00\x01', `${get}Hello : 1\r\n\r\n`],
      ...[`${get}Content-Length: abc\r\n\r\n`, `${get}X: ${LONG.repeat(20_000)}\r\n\r\n`, `${get}Host: b\r\n\r\n`],
      ...[`${get}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`],
    ].map((text) => ({ what: JSON.stringify(text.slice(0, 60)), bytes: Buffer.from(text, 'latin1') }));
    const flaws = flawsOf(tried, async ({ bytes }) =>
      flawOfRefusal(await exchange(door.url, Buffer.concat([bytes, Buffer.from('\r\n\r\n')]))),
    );
    expect(await flaws).toEqual([]);
  });

  it('sockets are not opened to those who do not ask properly', async () => {
    const right = {
      ...{ Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    };
    const opening = (what: string, changes: Record<string, string>, parts: Partial<HttpRequest> = {}) => {
      const headers = Object.entries({ ...right, ...changes }).filter(([, value]) => value !== 'absent');
      const bytes = bytesOf({ method: 'GET', target: '/chats/1/ws', headers, ...parts }).toString('latin1');
      return { what, bytes: Buffer.from(bytes.replace('connection: close\r\n', ''), 'latin1') };
    };
    const tried = [
      ...['absent', '', 'hello', LONG.repeat(1_000)].map((key) =>
        opening(`key ${key.slice(0, 20)}`, { 'Sec-WebSocket-Key': key }),
      ),
      ...['absent', '', '0', '99', 'hello'].map((version) =>
        opening(`version ${version}`, { 'Sec-WebSocket-Version': version }),
      ),
      ...['hello', 'h2c'].map((protocol) => opening(protocol, { Upgrade: protocol })),
      ...['POST', 'PUT'].map((method) => opening(method, {}, { method })),
      ...[
        '/chats/%/ws',
        '/chats/%00/ws',
        '/chats/nowhere/ws',
        '/chats//ws',
        '/ws',
        `/chats/${LONG.repeat(3_000)}/ws`,
      ].map((target) => opening(target.slice(0, 40), {}, { target })),
      ...['nonsense', ',', LONG.repeat(5_000), 'a, b'].map((protocol) =>
        opening(
          `subprotocol ${protocol.slice(0, 20)}`,
          { 'Sec-WebSocket-Protocol': protocol },
          { target: '/chats/Locked/ws' },
        ),
      ),
      ...['a b', '[', '\xff'].map((host) => opening(`host ${host}`, { Host: host })),
      ...['https://example.org', 'null', '%%%'].map((Origin) => opening(`origin ${Origin}`, { Origin })),
    ];
    const flaws = flawsOf(tried, async ({ bytes }) => flawOfRefusal(await exchange(door.url, bytes, 5_000)));
    expect(await flaws).toEqual([]);
  });

  describe('in frames', () => {
    let client: ChatClient;
    beforeAll(async () => {
      client = door.open(1);
      await client.opened;
    });
    afterAll(() => client.close());

    it('is passed over, and the connection stays', async () => {
      const chance = new Chance(seed);
      const schema = z.object({ event_type: z.literal('hello'), name: z.string(), color: z.string(), msg: z.string() });
      const frames = [...wrongInOneField(schema, chance), ...wrongDocuments(schema, chance)];
      for (const { bytes } of frames.filter(({ bytes }) => bytes.length <= 512)) {
        if (isUtf8(bytes)) client.socket.send(bytes, { binary: false });
        client.socket.send(bytes, { binary: true });
        cases += 2;
      }
      for (const text of chance.some(fc.json(), 200)) client.socket.send(text.slice(0, 500));
      client.send({ event_type: 'send', name: 'Ann', msg: 'without having joined' });
      client.send({ event_type: 'leave', name: 'Ann' });
      client.socket.ping();
      await once(client.socket, 'pong');
      expect(client.frames).toEqual([]);
    });

    it.each([
      ['a frame without mask', 1002, frame({ payload: '{}', masked: false })],
      ['reserved bits', 1002, frame({ payload: '{}', reserved: 4 })],
      ['a frame of no kind', 1002, frame({ payload: '{}', opcode: 3 })],
      ['a fragmented ping', 1002, frame({ opcode: opcode.ping, final: false })],
      ['a length of a gigabyte', 1009, frame({ length: 2n ** 30n })],
      ['a frame too long', 1009, frame({ payload: ' '.repeat(513) })],
      [
        'fragments too long together',
        1009,
        Buffer.concat([
          frame({ payload: ' '.repeat(400), final: false }),
          frame({ payload: ' '.repeat(400), opcode: 0 }),
        ]),
      ],
      [
        'far too many fragments',
        1008,
        Buffer.concat([
          frame({ final: false }),
          ...Array.from({ length: 100 }, () => frame({ final: false, opcode: 0 })),
        ]),
      ],
      ['text that is no UTF-8', 1007, frame({ payload: Buffer.from([0xff, 0xfe]) })],
    ])('%s ends the connection with %i', async (_, code, bytes) => {
      const other = door.open(1);
      await other.opened;
      (other.socket as unknown as { _socket: Socket })._socket.write(bytes);
      expect(await other.ended).toBe(code);
      cases += 1;
    });
  });

  it('leaves the service as it was', async () => {
    expect((await fetch(`${service.url}/health/ready`)).status).toBe(200);
    expect(await rowsKept(sql)).toEqual(kept);
    expect(cases).toBeGreaterThan(1_000);
  });
});

const refusal = z.strictObject({
  status: z.literal(false),
  error: z.strictObject({ code: z.int(), error: z.string().min(1), field: z.string().max(200).optional() }),
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
