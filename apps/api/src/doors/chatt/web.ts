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

/** How long the page's question waits for its own MQTT connection, which it opened just before, and how often it looks. */
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
  /** Where the page finds the broker; null: nowhere. */
  readonly brokerPort: number | null;
}

/** The page of chaTT and what it asks for, at a port of its own. */
export async function serveWeb(port: number, parts: WebParts): Promise<HttpListener> {
  const listener = parts.host.listen(port);
  await listener.scope(async (scope) => {
    await registerHelmet(scope, policyOf(parts.brokerPort));
    // Whatever comes to /cmd is of no interest.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, body, done) => {
      body.resume();
      body.once('end', () => done(null)).once('error', done);
    });
    await servePage(scope, parts);
    scope.get('/data/lastinfo', (request, reply) => answerLastInfo(parts, request, reply));
    // Once for the recorder beside the web server. There is nothing left that it could tell us.
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

/** The derivation of the passphrase is the broker's too. */
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

// What the page asks for ----------------------------------------------------------------------------------------------

/** Always 200 with all members, whatever is wrong: the page has no rooms otherwise. */
async function answerLastInfo(parts: WebParts, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const info = await whatToTell(parts, request, reply).catch((error: unknown) => {
    parts.problems.refusal(error, { door: 'chatt', route: '/data/lastinfo' });
    return noInfo;
  });
  reply.header('cache-control', 'no-store').type('application/json; charset=utf-8').send(JSON.stringify(info));
}

async function whatToTell(parts: WebParts, request: FastifyRequest, reply: FastifyReply): Promise<LastInfo> {
  const { host, limits, reads, queries, people, closed } = parts;
  const address = host.proxies.addressOf(request.raw);
  if (limits.visit(address)) return noInfo;
  const { user } = request.query as { readonly user?: unknown };
  const nick = typeof user === 'string' ? user : '';
  const there = await whoIsThere(parts, address, nick);
  if (closed && !there) return noInfo;
  const told = await reads.answer(reads.visitor(address), reply.raw, async () =>
    lastInfo(queries, there?.guestId ?? null, await people.present()),
  );
  return isRejection(told) ? noInfo : told;
}

/**
 * Whose MQTT connection is open from this address under this nick. A page sends no credential with its question, so it is told
 * what this person may read only if they are a guest, whose name is no more of a secret than this; and where a passphrase is
 * needed, nothing before that connection is open.
 */
async function whoIsThere({ ledger, closed }: WebParts, address: string, nick: string) {
  if (nick === '') return null;
  const end = performance.now() + CONNECTION_WAIT_MS;
  for (;;) {
    const found = await ledger.connectedFrom(address, nick);
    if (found || !closed || performance.now() > end) return found;
    await sleep(LOOK_MS);
  }
}
