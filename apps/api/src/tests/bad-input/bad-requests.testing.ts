import { type Call, type CallName, callList, type ErrorCode } from '@verbatim/protocol';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { vi } from 'vitest';
import {
  type Chance,
  fieldsOf,
  LONG,
  oddHeaders,
  oddParameters,
  oddSegments,
  plainJson,
  referencesOf,
  rightObject,
  rightValue,
  takes,
  wrongDocuments,
  wrongInOneField,
} from './bad-values.testing.js';
import type { HttpRequest } from './raw-http.testing.js';
import type { Town } from './town.testing.js';

/** One request that must not have an effect. */
export interface BadRequest {
  readonly what: string;
  readonly request: HttpRequest;
  /** The codes that are right answers. */
  readonly codes: readonly ErrorCode[];
  /** What the answer must name as wrong, if it lists what is wrong: `body.text`. */
  readonly names?: string;
  /** Odd, but so that a read may also just answer it. */
  readonly answerable?: boolean;
}

/** All that can be wrong with a request for a call, by what the table says of the call. */
export function badRequests(call: Call, town: Town, chance: Chance): BadRequest[] {
  return [
    ...wrongBodies(call, town, chance),
    ...wrongContentTypes(call, town),
    ...wrongQueries(call, town),
    ...wrongParameters(call, town),
    ...unknownPlaces(call, town, chance),
    ...foreignPlaces(call, town),
    ...wrongHeaders(call, town),
    ...wrongCredentials(call, town),
    ...wrongMethods(call, town),
    ...wrongPaths(call, town),
    ...wrongAccepts(call, town),
  ];
}

type Headers = NonNullable<HttpRequest['headers']>;

// The right request, from which each bad one differs in one thing --------------------------------------------------------

interface Parts {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Headers;
  readonly contentType?: string;
  readonly body?: Buffer | null;
  readonly authorization?: string | null;
}

function requestFor(call: Call, town: Town, parts: Parts = {}): HttpRequest {
  const { method = call.method, headers = [], body = rightBody(call), contentType = 'application/json' } = parts;
  const { authorization = call.auth === 'none' ? null : `Bearer ${senderOf(call, town).accessToken}` } = parts;
  return {
    method,
    target: parts.target ?? targetOf(call, town),
    headers: [
      ...(authorization === null ? [] : [['authorization', authorization] as const]),
      ...(body && contentType ? [['content-type', contentType] as const] : []),
      ...headers,
    ],
    body: body ?? undefined,
  };
}

const senderOf = (call: Call, { owner, administrator }: Town) =>
  call.auth === 'none' || call.auth === 'user' ? owner : administrator;

const rightBody = (call: Call): Buffer | undefined => call.body && plainJson(rightObject(call.body));

/** The path with its places filled in, and the query it cannot do without. */
function targetOf(
  call: Call,
  town: Town,
  places: Readonly<Record<string, string>> = {},
  query = rightQuery(call),
): string {
  const all = { ...town.places, ...places };
  const path = call.path.replaceAll(aPlace, (whole, before = '', name) => {
    const place = all[whole] ?? all[`{${name}}`] ?? 'hello';
    return `${before}${place}`;
  });
  const parameters = Object.entries(query).map(([name, value]) => `${name}=${value}`);
  return parameters.length > 0 ? `${path}?${parameters.join('&')}` : path;
}

function rightQuery(call: Call): Record<string, string> {
  const needed = Object.entries(call.query ? fieldsOf(call.query) : {}).filter(
    ([, field]) => !field.safeParse('').success,
  );
  return Object.fromEntries(needed.map(([name, field]) => [name, `${rightValue(field)}`]));
}

/** How a place of this call's path is named in the town: `/v1/rooms/{id}`, `{messageId}`. */
const placesOf = (call: Call): string[] => call.path.match(aPlace) ?? [];
const aPlace = /(\/v1\/[\w/-]+\/)?\{(\w+)\}/g;

const takesKey = (call: Call): boolean => 'Idempotency-Key' in call.headers.request;

// Bodies --------------------------------------------------------------------------------------------------------------

function wrongBodies(call: Call, town: Town, chance: Chance): BadRequest[] {
  if (call.method === 'GET') return [];
  const fields = call.body ? wrongInOneField(call.body, chance) : [];
  const wrong = [...fields, ...wrongDocuments(call.body, chance)].map(({ what, bytes, field }, i): BadRequest => {
    // A key must not make a difference: what was refused is not remembered.
    const headers: Headers = takesKey(call) && i % 2 ? [['idempotency-key', uuidv7()]] : [];
    return {
      what: `body: ${what}`,
      request: requestFor(call, town, { body: bytes, headers }),
      codes: ['invalid_request'],
      names: field && `body.${field}`,
    };
  });
  return [...wrong, ...hugeBodies(call, town)];
}

/** A request with this body, unless the call takes it. */
export function randomRequest(call: Call, town: Town, body: string): BadRequest | null {
  const bytes = Buffer.from(body);
  if (takes(call.body, bytes)) return null;
  return { what: `body ${body}`, request: requestFor(call, town, { body: bytes }), codes: ['invalid_request'] };
}

function hugeBodies(call: Call, town: Town): BadRequest[] {
  const right = rightBody(call) ?? Buffer.from('{}');
  const padded = Buffer.concat([right, Buffer.alloc(140_000, ' ')]);
  const chunk = Buffer.concat([Buffer.from(`${padded.length.toString(16)}\r\n`), padded, Buffer.from('\r\n0\r\n\r\n')]);
  const chunked: Headers = [['transfer-encoding', 'chunked']];
  const claim: Headers = [['content-length', '99999999999']];
  const requests = {
    'body too large': { body: padded },
    'body too large, in chunks': { body: chunk, headers: chunked },
    'body said to be huge': { body: right, headers: claim },
  };
  return Object.entries(requests).map(([what, parts]) => ({
    what,
    request: requestFor(call, town, parts),
    codes: ['too_large'],
  }));
}

const wrongContentType = [
  ...[
    'text/plain',
    'text/html',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
  ],
  ...['application/jsonp', 'application', 'json', '*/*', ';;;', 'application/json/json', 'application/octet-stream'],
  ...['', 'application/json, text/plain', `application/${LONG.repeat(3_000)}`],
];

function wrongContentTypes(call: Call, town: Town): BadRequest[] {
  if (call.method === 'GET') return [];
  const body = rightBody(call) ?? Buffer.from('{}');
  return wrongContentType.map((contentType) => ({
    what: `content type ${contentType.slice(0, 60) || 'absent'}`,
    request: requestFor(call, town, { body, contentType }),
    codes: ['unsupported_media_type'],
  }));
}

// Queries -------------------------------------------------------------------------------------------------------------

function wrongQueries(call: Call, town: Town): BadRequest[] {
  if (!call.query) return [];
  const right = rightQuery(call);
  const missing = Object.keys(right).map((name) => {
    const { [name]: _, ...others } = right;
    return query(call, town, `${name} missing`, others, name, false);
  });
  const wrong = Object.entries(fieldsOf(call.query)).flatMap(([name, field]) => [
    ...oddParameters.map((value) =>
      query(call, town, `${name}=${value.slice(0, 60)}`, { ...right, [name]: value }, name, mayBeTaken(field, value)),
    ),
    query(call, town, `${name} twice`, { ...right, [name]: `hello&${name}=hello` }, name, false),
  ]);
  const brackets = Object.keys(fieldsOf(call.query)).map((name) =>
    query(
      call,
      town,
      `${name}[a]`,
      { ...right, [`${name}[a]`]: '1', '__proto__[limit]': '1', constructor: '1' },
      name,
      true,
    ),
  );
  return [...missing, ...wrong, ...brackets];
}

function query(
  call: Call,
  town: Town,
  what: string,
  parameters: Record<string, string>,
  name: string,
  answerable: boolean,
): BadRequest {
  return {
    what: `query: ${what}`,
    request: requestFor(call, town, { target: targetOf(call, town, {}, parameters) }),
    codes: answerable ? ['invalid_request', 'not_found', 'not_a_member', 'forbidden'] : ['invalid_request'],
    names: answerable ? undefined : `query.${name}`,
    answerable,
  };
}

/** Text that is not percent-encoded UTF-8 may be taken as it stands. */
function mayBeTaken(field: NonNullable<ReturnType<typeof fieldsOf>[string]>, value: string): boolean {
  const text = value.replaceAll('+', ' ');
  return field.safeParse(decoded(text) ?? text).success;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

// Places of the path --------------------------------------------------------------------------------------------------

function wrongParameters(call: Call, town: Town): BadRequest[] {
  const fields = call.params ? fieldsOf(call.params) : {};
  return placesOf(call).flatMap((place) => {
    const field = fields[/\{(\w+)\}/.exec(place)?.[1] ?? ''];
    return oddSegments
      .filter((segment) => !field?.safeParse(decoded(segment) ?? undefined).success)
      .map((segment) => ({
        what: `${place} is ${segment.slice(0, 60) || 'empty'}`,
        request: requestFor(call, town, { target: targetOf(call, town, { [place]: segment }) }),
        // Some of these are other paths, at which there may be nothing or another call.
        codes: ['invalid_request', 'not_found', 'method_not_allowed'],
      }));
  });
}

/** Names of things that are not there, in paths and in bodies. */
function unknownPlaces(call: Call, town: Town, chance: Chance): BadRequest[] {
  const inPath = placesOf(call)
    .filter((place) => /id\}$/i.test(place))
    .map((place) => ({ what: `${place} unknown`, target: targetOf(call, town, { [place]: chance.one(fc.uuid()) }) }));
  const names = placesOf(call)
    .filter((place) => place.endsWith('{username}'))
    .map((place) => ({ what: 'username unknown', target: targetOf(call, town, { [place]: 'nobody' }) }));
  // The plain ids of right bodies are those of nothing.
  const inBody = (call.body ? referencesOf(call.body) : []).map((field) => ({
    what: `${field} unknown`,
    target: targetOf(call, town),
  }));
  return [...inPath, ...names, ...inBody].map(({ what, target }) => ({
    what,
    request: requestFor(call, town, { target }),
    codes: ['not_found'],
  }));
}

/** Other people's rooms, and rooms that are closed: whatever the table says that a call answers there. */
function foreignPlaces(call: Call, town: Town): BadRequest[] {
  const place = '/v1/rooms/{id}';
  if (!placesOf(call).includes(place)) return [];
  const inRoom = (what: string, room: string, codes: ErrorCode[], answerable = false): BadRequest => ({
    what: `in ${what}`,
    request: requestFor(call, town, { target: targetOf(call, town, { [place]: room }) }),
    codes,
    answerable,
  });
  const outside: ErrorCode[] = ['not_a_member', 'forbidden', 'not_found'];
  const reads = call.method === 'GET';
  return [
    inRoom('a hidden room of others', town.hiddenRoom, ['not_found']),
    inRoom('a private room of others', town.privateRoom, outside, reads),
    inRoom('a public room of others', town.publicRoom, outside, reads),
    ...(call.errors.includes('room_closed')
      ? [inRoom('a closed room', town.closedRoom, ['room_closed', 'not_found'])]
      : []),
    ...(placesOf(call).includes('{messageId}')
      ? [
          {
            what: 'with a message of another room',
            request: requestFor(call, town, { target: targetOf(call, town, { '{messageId}': town.foreignMessage }) }),
            codes: ['not_found'] as const,
          },
        ]
      : []),
  ];
}

// Headers -------------------------------------------------------------------------------------------------------------

function wrongHeaders(call: Call, town: Town): BadRequest[] {
  const reads = call.method === 'GET';
  return Object.entries(call.headers.request).flatMap(([name, schema]) => {
    const odd = oddHeaders
      .map((value) => ({ value, answerable: schema.safeParse(value.trim()).success }))
      .filter(({ answerable }) => reads || !answerable)
      .map(({ value, answerable }) => ({ what: value.slice(0, 60), headers: [[name, value]] as Headers, answerable }));
    const twice = {
      what: 'twice',
      headers: [
        [name, '1'],
        [name, '2'],
      ] as Headers,
      answerable: false,
    };
    return [...odd, twice].map(({ what, headers, answerable }) => ({
      what: `${name}: ${what}`,
      request: requestFor(call, town, { headers }),
      codes: ['invalid_request'] as const,
      names: `headers.${name.toLowerCase()}`,
      answerable,
    }));
  });
}

function wrongCredentials(call: Call, town: Town): BadRequest[] {
  if (call.auth === 'none') return [];
  const bad = Object.entries({ 'no header': null, ...town.badCredentials }).map(([what, authorization]) => ({
    what: `credential: ${what}`,
    request: requestFor(call, town, { authorization }),
    codes: ['unauthenticated'] as const,
  }));
  if (call.auth === 'user') return bad;
  const authorization = `Bearer ${town.owner.accessToken}`;
  return [
    ...bad,
    { what: 'not an administrator', request: requestFor(call, town, { authorization }), codes: ['forbidden'] },
  ];
}

const accepts = [
  'text/html',
  'application/xml, text/*',
  'application/json;q=0',
  'image/*;q=0.5',
  'hello',
  ',',
  LONG.repeat(3_000),
];

function wrongAccepts(call: Call, town: Town): BadRequest[] {
  if (!call.path.startsWith('/v1/')) return [];
  const wrong = call.mediaType ? accepts.filter((accept) => !accept.includes('text/*')) : accepts;
  return wrong.map((accept) => ({
    what: `accept ${accept.slice(0, 60)}`,
    request: requestFor(call, town, { headers: [['accept', accept]] }),
    codes: ['not_acceptable'],
  }));
}

// Methods and paths ---------------------------------------------------------------------------------------------------

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'PURGE', 'LOCK', 'M-SEARCH'];

function wrongMethods(call: Call, town: Town): BadRequest[] {
  // A path without places may also be that of a call that has one there: `/v1/invitations/{id}` and `.../look-up`.
  const pattern = (path: string) => new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
  const allowed = callList.filter(([, { path }]) => pattern(path).test(call.path)).map(([, { method }]) => method);
  return methods
    .filter((method) => !allowed.includes(method as Call['method']))
    .map((method) => ({
      what: `method ${method}`,
      request: requestFor(call, town, { method, body: null }),
      codes: ['method_not_allowed'],
    }));
}

function wrongPaths(call: Call, town: Town): BadRequest[] {
  const [path = '', query = ''] = targetOf(call, town).split('?');
  const first = path.split('/')[1] ?? '';
  const changed = {
    'a double slash before': `/${path}`,
    'capital letters': path.toUpperCase(),
    'a dot segment': `/.${path}`,
    'parents that lead back': `/${first}/..${path}`,
    'parents in percent': `/${first}/%2e%2e${path}`,
    'a slash in percent': path.replace(/^(\/[^/]+)\//, '$1%2F'),
    backslashes: path.replaceAll('/', '\\'),
    'a double slash within': path.replace(/^(\/[^/]+)\//, '$1//'),
    'a broken percent': `/%${path}`,
    NUL: `/%00${path}`,
    'overlong UTF-8': `/%C0%AF${path}`,
    'a long start': `/${LONG.repeat(2_000)}${path}`,
    'a slash after': `${path}/`,
    'further segments': `${path}/hello/hello/hello`,
  };
  return Object.entries(changed)
    .filter(([, target]) => target !== path)
    .map(([what, target]) => ({
      what: `path with ${what}`,
      request: requestFor(call, town, { target: query ? `${target}?${query}` : target }),
      codes: ['not_found', 'invalid_request'],
    }));
}

// Cursors -------------------------------------------------------------------------------------------------------------

export type Cursors = ReadonlyMap<CallName, string>;

export const listCalls = callList.filter(([, { query }]) => query && 'cursor' in fieldsOf(query));

/** A cursor that each list has really given out. */
export async function collectCursors(town: Town): Promise<Cursors> {
  const cursors = new Map<CallName, string>();
  for (const [name, call] of listCalls) {
    const target = targetOf(call, town, {}, { ...rightQuery(call), limit: '1' });
    // What was said takes a moment to be found.
    await vi.waitFor(
      async () => {
        const { body } = await senderOf(call, town).get(target);
        if (!body.page?.next) throw new Error(`${name} gave no cursor: ${JSON.stringify(body)}`);
        cursors.set(name, body.page.next as string);
      },
      { timeout: 10_000, interval: 100 },
    );
  }
  return cursors;
}

/** Cursors of other lists, and cursors that somebody made up after looking into a real one. */
export function badCursors(name: CallName, call: Call, town: Town, cursors: Cursors): BadRequest[] {
  const request = (cursor: string) =>
    requestFor(call, town, {
      target: targetOf(call, town, {}, { ...rightQuery(call), cursor: encodeURIComponent(cursor) }),
    });
  const others = [...cursors].filter(([other]) => other !== name);
  const own = cursors.get(name) ?? '';
  return [
    ...others.map(([other, cursor]) => ({
      what: `cursor of ${other}`,
      request: request(cursor),
      codes: ['invalid_request'] as const,
      names: 'query.cursor',
    })),
    ...forged(own).map((cursor) => ({
      what: `cursor ${Buffer.from(cursor, 'base64url').toString().slice(0, 80)}`,
      request: request(cursor),
      codes: ['invalid_request'] as const,
      answerable: true,
    })),
  ];
}

const oddParts: readonly unknown[] = [
  ...[
    '0',
    '-1',
    '999999999999999999',
    '-999999999999999999',
    '9'.repeat(30),
    '1.5',
    '1e3',
    '',
    ' ',
    'NaN',
    '\u0000',
    '\ud800',
    "'",
  ],
  ...['0000-01-01T00:00:00.000Z', '2024-02-30T00:00:00.000Z', '9999-12-31T23:59:59.999Z', '2024-01-01T24:00:00.000Z'],
  ...['2024-01-01T::::::::::::Z', '2024-13-01T00:00:00.000Z', '-infinity', 'now', LONG.repeat(200)],
  ...[5, -0, null, true, [], {}, ['0'], { toString: '0' }],
];

function forged(cursor: string): string[] {
  const text = Buffer.from(cursor, 'base64url').toString();
  const encoded = (value: unknown) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  const parts = text.startsWith('[') ? (JSON.parse(text) as unknown[]) : text.split(':');
  const joined = (forgery: unknown[]) =>
    encoded(
      text.startsWith('[')
        ? forgery
        : forgery.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join(':'),
    );
  return [
    ...parts.flatMap((_, i) => oddParts.map((odd) => joined(parts.with(i, odd)))),
    ...[joined([...parts, '0']), joined(parts.slice(0, -1)), joined([...parts].reverse())],
    ...['[]', '{}', 'null', '"', '[[', '['.repeat(200), '{"__proto__":[]}', '{"length":3}'].map(encoded),
    ...[
      cursor.slice(0, -3),
      `${cursor}AAAA`,
      cursor.toUpperCase(),
      `${cursor}==`,
      '!',
      '....',
      'null',
      LONG.repeat(499),
    ],
  ];
}
