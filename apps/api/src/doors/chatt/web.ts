import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { QueryBus } from '@nestjs/cqrs';
import { isRejection } from '@verbatim/domain';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Host } from '../../host/host.js';
import type { HttpListener } from '../../host/http-listener.js';
import type { Limits } from '../../limits/limits.js';
import type { Reads } from '../../limits/reads.js';
import type { Problems } from '../problems.js';
import { helmetFor, registerHelmet } from '../security-headers.js';
import { type LastInfo, lastInfo, noInfo } from './last-info.js';
import type { People } from './people.js';
import type { SessionLedger } from './session-ledger.js';

/** Milliseconds that `/data/lastinfo` waits for the page's own MQTT connection, and between checks for it. */
const CONNECTION_WAIT_MS = 2_000;
const LOOK_MS = 100;

export interface WebParts {
  readonly host: Host;
  readonly queries: QueryBus;
  readonly limits: Limits;
  readonly reads: Reads;
  readonly problems: Problems;
  readonly people: People;
  readonly ledger: SessionLedger;
  /** Whether a passphrase is needed. */
  readonly closed: boolean;
  /** The port of the broker for the page; null if it is off. */
  readonly brokerPort: number | null;
}

/** Serves chaTT's page and its requests, on their own port. */
export async function serveWeb(port: number, parts: WebParts): Promise<HttpListener> {
  const listener = parts.host.listen(port);
  await listener.scope(async (scope) => {
    await registerHelmet(scope, policyOf(parts.brokerPort));
    // Bodies sent to /cmd are ignored.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, body, done) => {
      body.resume();
      body.once('end', () => done(null)).once('error', done);
    });
    await servePage(scope, parts);
    scope.get('/data/lastinfo', (request, reply) => answerLastInfo(parts, request, reply));
    // Used by chaTT's recorder, which is not needed here.
    for (const command of ['setRoomMessages', 'setChannels', 'setAuthors'])
      scope.post(`/cmd/${command}`, (_request, reply) => reply.status(200).send());
  });
  return listener;
}

// The page ------------------------------------------------------------------------------------------------------------

const files = {
  'chat.js': 'text/javascript; charset=utf-8',
  'mqtt.js': 'text/javascript; charset=utf-8',
  'passphrase.js': 'text/javascript; charset=utf-8',
  'text.js': 'text/javascript; charset=utf-8',
  'chatt.css': 'text/css; charset=utf-8',
};

async function servePage(scope: FastifyInstance, { closed, brokerPort }: WebParts): Promise<void> {
  const page = (await browserFile('chatt.html'))
    .replace('data-broker=""', `data-broker="${brokerPort ?? ''}"`)
    .replace('data-passphrase=""', `data-passphrase="${closed ? 'needed' : ''}"`);
  scope.get('/', (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(page),
  );
  scope.get('/favicon.ico', (_request, reply) => reply.status(204).send());
  for (const [name, type] of Object.entries(files)) {
    const content = await browserFile(name);
    scope.get(`/static/${name}`, (_request, reply) =>
      reply.type(type).header('cache-control', 'no-cache').send(content),
    );
  }
}

/** The broker derives credentials from the passphrase with the same file. */
const browserFile = (name: string): Promise<string> =>
  readFile(
    new URL(`${name === 'passphrase.js' ? '../../application/guests' : '.'}/browser/${name}`, import.meta.url),
    'utf8',
  );

const policyOf = (brokerPort: number | null) =>
  helmetFor({
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    connectSrc: ["'self'", ...(brokerPort === null ? [] : [`ws://*:${brokerPort}`, `wss://*:${brokerPort}`])],
  });

// Requests of the page -----------------------------------------------------------------------------------------------

/** Always 200 with all fields: the page has no rooms otherwise. */
async function answerLastInfo(parts: WebParts, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const info = await infoFor(parts, request, reply).catch((error: unknown) => {
    parts.problems.refusal(error, { door: 'chatt', route: '/data/lastinfo' });
    return noInfo;
  });
  reply.header('cache-control', 'no-store').type('application/json; charset=utf-8').send(JSON.stringify(info));
}

async function infoFor(parts: WebParts, request: FastifyRequest, reply: FastifyReply): Promise<LastInfo> {
  const { host, limits, reads, queries, people, closed } = parts;
  const address = host.proxies.addressOf(request.raw);
  if (limits.visit(address)) return noInfo;
  const { user } = request.query as { readonly user?: unknown };
  const nick = typeof user === 'string' ? user : '';
  const client = await connectedClient(parts, address, nick);
  if (closed && !client) return noInfo;
  const info = await reads.answer(reads.visitor(address), reply.raw, async () =>
    lastInfo(queries, client?.guestId ?? null, await people.present()),
  );
  return isRejection(info) ? noInfo : info;
}

/**
 * The client connected from this address under this nick. The page sends no credentials with this request, so it gets private
 * rooms only for guests, whose names protect nothing. Where a passphrase is needed, it gets nothing until that connection is
 * open.
 */
async function connectedClient({ ledger, closed }: WebParts, address: string, nick: string) {
  if (nick === '') return null;
  const end = performance.now() + CONNECTION_WAIT_MS;
  for (;;) {
    const found = await ledger.connectedFrom(address, nick);
    if (found || !closed || performance.now() > end) return found;
    await sleep(LOOK_MS);
  }
}
