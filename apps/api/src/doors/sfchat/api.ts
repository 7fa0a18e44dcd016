import { isUtf8 } from 'node:buffer';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandBus } from '@nestjs/cqrs';
import { isRejection, type Rejection, reject } from '@verbatim/domain';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  ConfirmInEphemeralChatCommand,
  LeaveEphemeralChatCommand,
  SayInEphemeralChatCommand,
} from '../../application/ephemeral-chats/chat-commands.js';
import type { ChatFindings } from '../../application/ephemeral-chats/chat-looks.js';
import { Fault } from '../../host/fault.js';
import type { Origins } from '../../host/origins.js';
import type { Proxies } from '../../host/proxies.js';
import type { Limits } from '../../limits/limits.js';
import type { ChatCredentials } from '../../storage/ephemeral/chat-store.js';
import { isPlain } from '../plain-json.js';
import { forAnswers, registerHelmet } from '../security-headers.js';
import { malformed, notFound, type SfchatErrors, SfchatRefusal } from './errors.js';
import { toMessage } from './messages.js';
import { type Polls, pollTimes } from './polls.js';

interface Parts {
  readonly commands: CommandBus;
  readonly polls: Polls;
  readonly limits: Limits;
  readonly errors: SfchatErrors;
  readonly proxies: Proxies;
  readonly origins: Origins;
}

const secret = z.string().regex(/^[0-9a-f]{24}$/);
/** Ids in one confirmation: more than can be waiting. */
const MOST_IDS = 1_000;
/** Seconds for which browsers cache a preflight. */
const PREFLIGHT_SECONDS = 600;
/** The body of a request that sends a text. */
export const textsSchema = z.object({ data: z.object({ messages: z.array(z.object({ msg: z.string() })).min(1) }) });
/** The body of a request that confirms messages. */
export const receivedSchema = z.object({
  data: z.object({ messages: z.array(z.object({ _id: secret })).max(MOST_IDS) }),
});

/** `/api/v1/messages.json` and `/api/v1/chat.json`, with the version in the path or in a header, with `.json` or without. */
export async function serveApi(scope: FastifyInstance, parts: Parts): Promise<void> {
  await registerHelmet(scope, forAnswers);
  scope.removeAllContentTypeParsers();
  // Bodies are JSON regardless of their content type, and may be missing where no input is required.
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  scope.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    delete request.raw.headers['content-type'];
    reply.header('cache-control', 'no-store, no-cache, must-revalidate').header('pragma', 'no-cache');
    if (isPreflight(parts, request, reply)) return reply.status(204).send();
  });
  scope.addHook('onSend', async (_request, reply) => {
    // So that the next request goes to another replica.
    if (parts.polls.isStopping) reply.header('connection', 'close');
  });
  scope.setErrorHandler(async (error, request, reply) => {
    if (error instanceof Fault && isPoll(request) && overload.has(error.kind)) return answerWithoutLooking(reply);
    parts.errors.answer(error, request, reply);
    return reply;
  });
  scope.route({
    method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    url: '/api/*',
    exposeHeadRoute: false,
    handler: (request, reply) => call(parts, request, reply),
  });
}

async function call(parts: Parts, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const methods = resources[resourceOf(request) ?? ''];
  if (!methods) throw notFound;
  const handle = methods[request.method];
  if (!handle) throw new SfchatRefusal(405, 'Method not allowed.', { allow: Object.keys(methods).join(', ') });
  const credentials = credentialsOf(request);
  const outcome: Outcome = credentials ? await handle(parts, credentials, request) : unauthorized;
  if (outcome && isRejection(outcome)) throw refusalOf(outcome, parts, request);
  await keepPace(parts.limits, credentials as ChatCredentials, request);
  // SFChat's documentation says 202 for changes, with 200 in the body.
  if (outcome === null) return reply.status(202).type('application/json').send(ok);
  return reply.type('application/json').send(JSON.stringify(listOf(outcome, credentials as ChatCredentials)));
}

type Outcome = Omit<ChatFindings, 'poll'> | Rejection | null;
type Handle = (parts: Parts, credentials: ChatCredentials, request: FastifyRequest) => Promise<Outcome>;

const resources: Readonly<Record<string, Readonly<Record<string, Handle>>>> = {
  messages: { GET: receive, HEAD: receive, POST: say, DELETE: confirm },
  chat: { DELETE: leave },
};

async function receive({ polls }: Parts, credentials: ChatCredentials, request: FastifyRequest): Promise<Outcome> {
  if (!isPoll(request)) return polls.look(credentials);
  const gone = new AbortController();
  const hangUp = () => gone.abort();
  request.raw.socket.once('close', hangUp);
  try {
    return await polls.wait(credentials, gone.signal);
  } finally {
    request.raw.socket.off('close', hangUp);
  }
}

function say({ commands }: Parts, credentials: ChatCredentials, { body }: FastifyRequest): Promise<Outcome> {
  const { data } = parse(textsSchema, body);
  const said = data.messages.map(({ msg }) => msg);
  return commands.execute(new SayInEphemeralChatCommand(credentials, said));
}

function confirm({ commands }: Parts, credentials: ChatCredentials, { body }: FastifyRequest): Promise<Outcome> {
  const { data } = parse(receivedSchema, body);
  const ids = data.messages.map(({ _id }) => _id);
  return commands.execute(new ConfirmInEphemeralChatCommand(credentials, ids));
}

function leave({ commands }: Parts, credentials: ChatCredentials): Promise<Outcome> {
  return commands.execute(new LeaveEphemeralChatCommand(credentials));
}

/** Participants over a limit get a late response: a page that is refused never asks again. */
async function keepPace(limits: Limits, { token }: ChatCredentials, { method }: FastifyRequest): Promise<void> {
  const { posts, reads } = limits.participant(token);
  const wait = (method === 'POST' ? posts : reads).spend();
  if (wait > 0) await sleep(Math.min(wait, pollTimes.beforeNewer));
}

/** Lets pages of allowed origins read answers (CORS). True for a preflight. */
function isPreflight({ origins }: Parts, { raw }: FastifyRequest, reply: FastifyReply): boolean {
  reply.header('vary', 'origin');
  if (raw.headers.origin === undefined || !origins.admits(raw)) return false;
  reply.header('access-control-allow-origin', raw.headers.origin);
  if (raw.method !== 'OPTIONS' || raw.headers['access-control-request-method'] === undefined) return false;
  reply
    .header('access-control-allow-methods', 'GET, POST, DELETE')
    .header('access-control-allow-headers', 'content-type, x-sfc-usertoken, x-sfc-chattoken, x-sfc-version')
    .header('access-control-max-age', PREFLIGHT_SECONDS);
  return true;
}

// Requests --------------------------------------------------------------------------------------------------------------

/** Undefined if no supported version has such a path. */
function resourceOf({ url, headers }: FastifyRequest): string | undefined {
  const path = url.split('?')[0] ?? '';
  const [, inPath, name] = /^\/api\/(?:([^/]+)\/)?([a-z]+)(?:\.json)?$/.exec(path) ?? [];
  return (headers['x-sfc-version'] ?? inPath) === 'v1' ? name : undefined;
}

const unauthorized = reject('Unauthenticated', 'Unauthorized');

/** Null if they are malformed. */
function credentialsOf({ headers }: FastifyRequest): ChatCredentials | null {
  const [code, token] = [headers['x-sfc-chattoken'], headers['x-sfc-usertoken']];
  if (!code || !token) throw new SfchatRefusal(403, 'Authentication credentials were not provided.');
  const read = z.object({ code: secret, token: secret }).safeParse({ code, token });
  return read.data ?? null;
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const json = Buffer.isBuffer(body) && isUtf8(body) ? parseJson(body) : undefined;
  const read = schema.safeParse(isPlain(json) ? json : undefined);
  if (!read.success) throw malformed;
  return read.data;
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8').replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

/** Wrong credentials count against the address they come from. */
function refusalOf(rejection: Rejection, { limits, proxies }: Parts, request: FastifyRequest): SfchatRefusal {
  const tooSoon = rejection.rejected === 'Unauthenticated' ? limits.visit(proxies.addressOf(request.raw)) : null;
  return SfchatRefusal.of(tooSoon ?? rejection);
}

/** Only the exact text `True` waits; it is also the default. */
function isPoll({ method, query }: FastifyRequest): boolean {
  const { longPolling = 'True' } = (query ?? {}) as { longPolling?: unknown };
  return method === 'GET' && longPolling === 'True';
}

// Answers ---------------------------------------------------------------------------------------------------------------

const ok = JSON.stringify({ results: { code: 200, msg: 'Ok' } });

const listOf = ({ status, messages }: Exclude<Outcome, Rejection | null>, { code }: ChatCredentials): object => ({
  results: {
    code: 200,
    msg: 'Ok',
    count: messages.length,
    status,
    messages: messages.map((message) => toMessage(message, code)),
  },
});

const overload: ReadonlySet<string> = new Set(['too-many', 'busy']);

/** A poll beyond capacity: it gets a late, empty response that costs nothing, so that its page keeps polling. */
async function answerWithoutLooking(reply: FastifyReply): Promise<FastifyReply> {
  await sleep(pollTimes.beforeNewer);
  const nothing = { code: 200, msg: 'Ok', count: 0, status: 'draft', messages: [] };
  return reply
    .status(200)
    .type('application/json')
    .send(JSON.stringify({ results: nothing }));
}
