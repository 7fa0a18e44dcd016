import fc from 'fast-check';
import { type Chance, LONG } from './bad-values.testing.js';
import { bytesOf, type HttpRequest } from './raw-http.testing.js';
import { type FrameParts, frame, opcode } from './raw-socket.testing.js';
import type { Town } from './town.testing.js';

// Bytes that no library for HTTP or WebSockets would send.

/** What the service may do with bytes that are not, or not quite, a request. */
export interface BadBytes {
  readonly what: string;
  readonly bytes: Buffer;
  /**
   * `answers`: it must answer with a problem. `refuses`: it may also just hang up. `bare`: Node.js itself answers 400 and
   * no more. `waits`: it takes it for the beginning of something and says nothing.
   */
  readonly fate: 'answers' | 'refuses' | 'bare' | 'waits';
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const answers = (what: string, text: string): BadBytes => ({ what, bytes: latin1(text), fate: 'answers' });
const refuses = (what: string, text: string): BadBytes => ({ what, bytes: latin1(text), fate: 'refuses' });
const bare = (what: string, text: string): BadBytes => ({ what, bytes: latin1(text), fate: 'bare' });
const waits = (what: string, text: string): BadBytes => ({ what, bytes: latin1(text), fate: 'waits' });

// Instead of requests -------------------------------------------------------------------------------------------------

/** Bytes that are no proper HTTP/1.1. Where one could be read as two requests, the second would make a room. */
export function badRequestBytes(town: Town, chance: Chance): BadBytes[] {
  const credential = `Authorization: Bearer ${town.owner.accessToken}\r\n`;
  const post = `POST /v1/rooms HTTP/1.1\r\nHost: localhost\r\n${credential}Content-Type: application/json\r\n`;
  const get = `GET /v1/about HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n`;
  const room = '{"name":"smuggled"}';
  const smuggled = `${post}Content-Length: ${room.length}\r\nConnection: close\r\n\r\n${room}`;
  const chunks = `${post}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n`;
  return [
    waits('nothing', ''),
    waits('empty lines', '\r\n\r\n\r\n'),
    waits('half a request line', 'GET /v1/ab'),
    waits('half the headers', `${get}Accept: appl`),
    waits('half a body', `${post}Content-Length: 1000\r\n\r\n{"name":`),
    waits('half a chunk', `${chunks}100\r\n{"name":`),
    waits('no last chunk', `${chunks}2\r\n{}\r\n`),
    ...['abc', '-1', '1e3', '+5', '0x10', '5 5', '5, 5', '99999999999999999999', '\xb2'].map((length) =>
      answers(`a length of ${length}`, `${post}Content-Length: ${length}\r\n\r\n{}${smuggled}`),
    ),
    answers('two lengths', `${post}Content-Length: 2\r\nContent-Length: ${smuggled.length + 2}\r\n\r\n{}${smuggled}`),
    answers('two equal lengths', `${post}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`),
    answers('length and chunks', `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`),
    answers('chunks and length', `${post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${smuggled}`),
    ...['identity', 'xchunked', 'chunked, identity', 'chunked, hello', '\x0bchunked', ', chunked,'].map((coding) =>
      answers(`transfer encoding ${coding}`, `${post}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n${smuggled}`),
    ),
    ...['zz', '-1', '0x2', 'FFFFFFFFFFFFFFFFF', ' 2', ''].map((size) =>
      answers(`a chunk of ${size || 'no size'}`, `${chunks}${size}\r\n{}\r\n0\r\n\r\n${smuggled}`),
    ),
    answers('a chunk longer than it says', `${chunks}2\r\n{}}}}}\r\n0\r\n\r\n${smuggled}`),
    answers('a chunk with a long extension', `${chunks}2;${LONG.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`),
    answers('many chunks of one byte', `${chunks}${'1\r\n[\r\n'.repeat(5_000)}0\r\n\r\n`),
    answers('a flood of trailers', `${chunks}2\r\n{}\r\n0\r\n${`X: ${LONG.repeat(100)}\r\n`.repeat(300)}\r\n`),
    ...[
      'Hello',
      'Hello : 1',
      ' Hello: 1',
      ': 1',
      'H\xe4llo: 1',
      'Hel\0lo: 1',
      'Hello: \0',
      'Hello: \x01',
      'a\rb: 1',
    ].map((header) => answers(`the header ${JSON.stringify(header)}`, `${get}${header}\r\n\r\n`)),
    answers('a folded header', `${get}Hello: 1\r\n 2\r\n\r\n`),
    answers('lines that end in line feeds only', `${get.replaceAll('\r', '')}\n`),
    answers('lines that end in carriage returns only', `${get.replaceAll('\n', '')}\r`),
    bare('no host', `GET /v1/me HTTP/1.1\r\nConnection: close\r\n\r\n`),
    answers('too long an address', `GET /v1/about?${LONG.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`),
    answers('too long a header', `${get}Hello: ${LONG.repeat(20_000)}\r\n\r\n`),
    answers(
      'a flood of headers',
      `${get}${Array.from({ length: 1_000 }, (_, i) => `Header-${i}: ${LONG.repeat(20)}\r\n`).join('')}\r\n`,
    ),
    answers('a flood of cookies', `${get}${`Cookie: a=${LONG.repeat(100)}\r\n`.repeat(300)}\r\n`),
    // Headers beyond the first two thousand are not read; the credential is among them here.
    answers(
      'many short headers',
      `GET /v1/me HTTP/1.1\r\nHost: localhost\r\n${'a:b\r\n'.repeat(2_500)}${credential}\r\n`,
    ),
    ...['HELLO', 'get', 'POST\t', LONG.repeat(5_000), 'G\xcbT', '\0'].map((method) =>
      answers(
        `the method ${JSON.stringify(method.slice(0, 60))}`,
        `${method} /v1/about HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      ),
    ),
    ...[
      '/v1/ about',
      '/v1/\0',
      '/v1/\x7f',
      'v1/about',
      '',
      '//',
      'http://',
      '*',
      '?',
      '#',
      '/v1/m\xff',
      '/%',
      '/v1/me#/v1/about',
    ].map((target) =>
      answers(
        `the address ${JSON.stringify(target)}`,
        `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      ),
    ),
    ...pagePaths.map((target) =>
      answers(`the page ${target}`, `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`),
    ),
    answers(
      'the address of another server',
      `GET http://hello:1/v1/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    ),
    ...['HTTP/0.9', 'HTTP/2.0', 'HTTP/9.9', 'HTTP/1.1.1', 'HTTP/11', 'http/1.1', 'ICY/1.0', 'HTTP/1.x'].map((version) =>
      answers(`${version}`, `GET /v1/me ${version}\r\nHost: localhost\r\n\r\n`),
    ),
    answers('no version', 'GET /v1/me\r\n\r\n'),
    answers('the beginning of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    answers('the beginning of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
    answers('a greeting of SSH', 'SSH-2.0-OpenSSH_9.6\r\n'),
    answers('a document', '{"name":"hello"}\n'),
    refuses('a tunnel', 'CONNECT localhost:5432 HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    answers(
      'another protocol to switch to',
      `${post}Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n{}`,
    ),
    answers('an expectation that is none', `${post}Expect: hello\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`),
    answers(
      'a bad body after an expectation',
      `${post}Expect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
    ),
    answers('something after a request', `${post}Content-Length: 2\r\nConnection: close\r\n\r\n{}${smuggled}`),
    ...chance.some(fc.uint8Array({ minLength: 20, maxLength: 400 }), 20).map(
      (bytes, i): BadBytes => ({
        what: `random bytes ${i}`,
        // A first byte that no method has, so that it is not taken for the beginning of a request.
        bytes: Buffer.concat([Buffer.from([0x80]), bytes]),
        fate: 'answers',
      }),
    ),
    ...chance.some(fc.tuple(fc.nat(), fc.nat(255)), 60).map(([place, byte], i): BadBytes => {
      const bytes = latin1(`${post}Content-Length: 2\r\nConnection: close\r\n\r\n{}`);
      bytes[place % bytes.length] = byte;
      return { what: `byte ${place % bytes.length} is ${byte} (${i})`, bytes, fate: 'refuses' };
    }),
  ];
}

/** Ways out of the folders from which pages are served. */
const pagePaths = ['/docs/assets/', '/admin/'].flatMap((folder) =>
  [
    ...[
      '../package.json',
      '../../../package.json',
      '%2e%2e/package.json',
      '..%2fpackage.json',
      '..%2f..%2f..%2fpackage.json',
    ],
    ...[
      '..%5cpackage.json',
      '..\\package.json',
      '.%2e/package.json',
      '%c0%ae%c0%ae/package.json',
      '%252e%252e/package.json',
    ],
    ...[
      '/etc/passwd',
      '%2fetc%2fpasswd',
      'file:///etc/passwd',
      'hello%00.js',
      '%00',
      '.env',
      '.',
      '%',
      LONG.repeat(4_000),
    ],
  ].map((file) => `${folder}${file}`),
);

// Instead of the opening of a WebSocket -------------------------------------------------------------------------------

/** Requests that ask for a WebSocket in a way that cannot be granted. */
export function badHandshakes(town: Town): { readonly what: string; readonly bytes: Buffer }[] {
  const right = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    Authorization: `Bearer ${town.owner.accessToken}`,
  };
  const opening = (what: string, changes: Record<string, string>, request: Partial<HttpRequest> = {}) => {
    const headers = Object.entries({ ...right, ...changes }).filter(([, value]) => value !== 'absent');
    const whole = { method: 'GET', target: '/v1/ws', headers, ...request };
    const bytes = bytesOf(whole).toString('latin1').replace('connection: close\r\n', '');
    return { what, bytes: latin1(changes.Host === undefined ? bytes : bytes.replace('host: localhost\r\n', '')) };
  };
  const nobody = { Authorization: 'absent' };
  return [
    ...['absent', '', 'hello', 'dGhlIHNhbXBsZSBub25jZQ', LONG.repeat(1_000), '\xff'].map((key) =>
      opening(`the key ${key.slice(0, 30)}`, { 'Sec-WebSocket-Key': key }),
    ),
    ...['absent', '', '0', '12', '99', '13, 8', 'hello', '-13'].map((version) =>
      opening(`version ${version}`, { 'Sec-WebSocket-Version': version }),
    ),
    ...['hello', 'h2c', 'websocket2', ''].map((protocol) => opening(`the protocol ${protocol}`, { Upgrade: protocol })),
    ...['POST', 'PUT', 'DELETE', 'OPTIONS'].map((method) => opening(`method ${method}`, {}, { method })),
    ...['/v1', '/v1/wss', '/v1/ws/', '/v1/WS', '/v1/wsx/me', '//', '//[', '/v1/%77s', '*', '/v1/../v1/ws/..'].map(
      (target) => opening(`the address ${target}`, {}, { target }),
    ),
    ...['hello', 'a'.repeat(43), LONG.repeat(8_000), '%00', '%FF', '%', '&ticket=', '[]', '__proto__'].map((ticket) =>
      opening(`the ticket ${ticket.slice(0, 30)}`, nobody, { target: `/v1/ws?ticket=${ticket}` }),
    ),
    ...Object.entries({ 'no credential': 'absent', ...town.badCredentials }).map(([what, authorization]) =>
      opening(what, { Authorization: authorization }),
    ),
    ...[',', 'hello,', ' ', '\xff', 'a, a'].map((name) =>
      opening(`subprotocol ${name}`, { 'Sec-WebSocket-Protocol': name }),
    ),
    ...['a b', '[', 'localhost:99999', '\xff', ''].map((host) => opening(`host ${host}`, { ...nobody, Host: host })),
  ];
}

// Instead of frames ---------------------------------------------------------------------------------------------------

/** What is sent on an open WebSocket, and what becomes of the connection: the code with which it is closed, if it is. */
export interface BadSocketBytes {
  readonly what: string;
  readonly bytes: Buffer;
  readonly fate: number | 'stays open' | 'anything';
}

const PROTOCOL_ERROR = 1002;
const TOO_LARGE = 4013;
const FAR_TOO_LARGE = 1009;

/** Breaches of RFC 6455, and frames beyond the size. After what ends a connection a message is posted that must not count. */
export function badSocketBytes(town: Town, chance: Chance): BadSocketBytes[] {
  const post = JSON.stringify({ event: 'post', data: { room: town.room, text: 'hello' } });
  const breach = (what: string, ...parts: FrameParts[]): BadSocketBytes => ({
    what,
    bytes: Buffer.concat([...parts.map(frame), frame({ payload: post })]),
    fate: PROTOCOL_ERROR,
  });
  const goesOn = (what: string, ...parts: FrameParts[]): BadSocketBytes => ({
    what,
    bytes: Buffer.concat(parts.map(frame)),
    fate: 'stays open',
  });
  const tooLarge = (what: string, fate: number, ...parts: FrameParts[]): BadSocketBytes => ({
    ...breach(what, ...parts),
    fate,
  });
  const first = { payload: post.slice(0, 10), final: false };
  const rest = { payload: '', opcode: opcode.continuation };
  return [
    breach('a frame without mask', { payload: post, masked: false }),
    ...[1, 2, 4, 7].map((reserved) => breach(`reserved bits ${reserved}`, { payload: post, reserved })),
    ...[3, 7, 11, 15].map((odd) => breach(`a frame of kind ${odd}`, { payload: post, opcode: odd })),
    breach('a fragmented ping', { opcode: opcode.ping, final: false }),
    breach('a ping of 126 bytes', { opcode: opcode.ping, payload: LONG.repeat(126) }),
    breach('a continuation of nothing', { payload: post, opcode: opcode.continuation }),
    breach('a message within a message', first, { payload: post }),
    breach('a close reason of one byte', { opcode: opcode.close, payload: 'Q' }),
    ...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535].map((code) =>
      breach(`the close code ${code}`, { opcode: opcode.close, payload: Buffer.from([code >> 8, code & 255]) }),
    ),
    {
      ...breach('a close reason that is no UTF-8', { opcode: opcode.close, payload: Buffer.from([3, 232, 255]) }),
      fate: 1000,
    },
    tooLarge('a length beyond all numbers', FAR_TOO_LARGE, { length: 2n ** 64n - 1n }),
    tooLarge('a length of a gigabyte', FAR_TOO_LARGE, { length: 2n ** 30n }),
    tooLarge('a frame a little too large', TOO_LARGE, { payload: ' '.repeat(131_073) }),
    tooLarge('a good frame that is too large', TOO_LARGE, { payload: post + ' '.repeat(131_073) }),
    tooLarge('a binary frame too large', TOO_LARGE, { payload: LONG.repeat(200_000), opcode: opcode.binary }),
    tooLarge(
      'fragments that are too large together',
      TOO_LARGE,
      { payload: ' '.repeat(100_000), final: false },
      { payload: ' '.repeat(100_000), opcode: 0 },
    ),
    tooLarge('far too large a frame', FAR_TOO_LARGE, { payload: ' '.repeat(1_048_577) }),
    goesOn('a ping', { opcode: opcode.ping, payload: 'hello' }),
    goesOn('a thousand pings', ...Array.from({ length: 1_000 }, () => ({ opcode: opcode.ping }))),
    goesOn('a thousand pongs nobody asked for', ...Array.from({ length: 1_000 }, () => ({ opcode: opcode.pong }))),
    goesOn('a thousand empty frames', ...Array.from({ length: 1_000 }, () => ({}))),
    goesOn('a hundred empty fragments', first, ...Array.from({ length: 100 }, () => ({ ...rest, final: false })), rest),
    goesOn('pings between fragments', first, { opcode: opcode.ping }, rest),
    goesOn(
      'a character cut by fragments',
      { payload: Buffer.from([0xf0, 0x9f]), final: false },
      { payload: Buffer.from([0x91]), opcode: 0 },
    ),
    goesOn(
      'a thousand bad frames',
      ...Array.from({ length: 1_000 }, () => ({ payload: '{"event":"post","data":{}}' })),
    ),
    goesOn(
      'a thousand refused frames',
      ...Array.from({ length: 1_000 }, () => ({ payload: post.replace(town.room, town.hiddenRoom) })),
    ),
    { what: 'half a frame', bytes: frame({ payload: post }).subarray(0, 20), fate: 'anything' as const },
    ...chance.some(fc.uint8Array({ minLength: 50, maxLength: 500 }), 20).map((bytes, i) => ({
      what: `random bytes ${i}`,
      bytes: Buffer.from(bytes),
      fate: 'anything' as const,
    })),
  ];
}
