import type { TokenScope } from '@verbatim/domain';
import { errors } from '@verbatim/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { permissionProblem } from '../../application/sessions/permission.js';
import type { Fault, FaultFormat } from '../../host/fault.js';
import { limited, limitedFor } from '../../limits/limited.js';
import { refusalOfFault } from '../problems.js';
import { Accounts } from './accounts.js';
import {
  type Answer,
  accepts,
  adminRequired,
  methodNotAllowed,
  notAcceptable,
  notAuthenticated,
  nowhere,
  Refused,
  refuse,
  refusedText,
  sendAnswer,
  sendRefused,
  tooLarge,
  translated,
} from './answers.js';
import { type Call, parseBody, type UserCall } from './call.js';
import { Credentials } from './credentials.js';
import { Messages } from './messages.js';
import { DOOR, type Parts } from './parts.js';
import { Rooms } from './rooms.js';
import { Tokens } from './tokens.js';

/** Bytes of a body where makechat limits it. */
const SMALL_BODY = 1_024;
/** Retry delay when an account has too many requests in flight, in milliseconds. */
const RETRY_IN_FLIGHT_MS = 1_000;

interface Needs {
  /** Only for administrators. */
  readonly admin?: boolean;
  /** Whether auditors, who cannot change anything, may do it. */
  readonly openToAuditors: boolean;
  readonly scope: TokenScope;
  readonly spends: 'reads' | 'writes' | 'posts';
  /** Reads so little that it is neither queued nor charged. */
  readonly light?: boolean;
}

type Endpoint = {
  readonly smallBody?: boolean;
  /** People who end their own session do not count as visitors, and are never refused. */
  readonly endsSession?: boolean;
} & (
  | { readonly needs: null; readonly handle: (call: Call) => Promise<Answer> }
  | { readonly needs: Needs; readonly handle: (call: UserCall) => Promise<Answer> }
);

type Endpoints = Readonly<Record<string, Endpoint>>;

/** makechat's API: the methods of each path, and the order of the checks. */
export class Api implements FaultFormat {
  private readonly credentials: Credentials;
  private readonly places: readonly { readonly path: RegExp; readonly methods: Endpoints }[];

  constructor(private readonly parts: Parts) {
    this.credentials = new Credentials(parts);
    this.places = placesOf(parts, this.credentials);
  }

  /** Refuses requests that no endpoint accepts before reading their bodies. makechat checks media types first, on any path. */
  refuseUnknown(request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
    const { method, headers } = request;
    if (!accepts(headers.accept, ['application/json'])) throw notAcceptable;
    const needsJson = method === 'POST' || method === 'PUT';
    if (needsJson && !isJsonType(headers['content-type'])) throw notAcceptable;
    const place = this.placeOf(pathOf(request));
    if (!place) throw nowhere;
    const methods = Object.keys(place.methods).sort();
    if (method === 'OPTIONS') return reply.status(204).header('allow', methods.join(', ')).send();
    if (!place.methods[method]) throw methodNotAllowed(methods);
    return undefined;
  }

  /** Handles a call: checks the body first, then the caller, then the length of the body. */
  async handle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const path = pathOf(request);
    const place = this.placeOf(path);
    const endpoint = place?.methods[request.method];
    if (!place || !endpoint) throw nowhere;
    const call: Call = {
      ...{ request, reply, path },
      id: place.path.exec(path)?.[1] ?? '',
      query: new URLSearchParams(request.url.split('?').slice(1).join('?')),
      body: parseBody(request.body),
      context: { correlation: request.id, door: DOOR },
    };
    const isTooLarge = endpoint.smallBody && Buffer.isBuffer(request.body) && request.body.length > SMALL_BODY;
    if (endpoint.needs === null) {
      const ownSession = endpoint.endsSession === true && (await this.credentials.callerOf(request)) !== null;
      if (!ownSession) this.countVisit(request);
      if (isTooLarge) throw tooLarge;
      return sendAnswer(reply, await endpoint.handle(call));
    }
    const userCall = await this.admit(call, endpoint.needs);
    if (isTooLarge) throw tooLarge;
    if (request.method !== 'GET' || endpoint.needs.light) return sendAnswer(reply, await endpoint.handle(userCall));
    const reader = this.parts.reads.account(userCall.actor.id);
    const answer = await this.parts.reads.answer(reader, reply.raw, () => endpoint.handle(userCall));
    return sendAnswer(reply, 'rejected' in answer ? refuse(answer) : answer);
  }

  /** The caller, counted against the limits and permitted to make this call. */
  private async admit(call: Call, needs: Needs): Promise<UserCall> {
    const { limits } = this.parts;
    const caller = await this.credentials.callerOf(call.request);
    if (!caller) {
      this.countVisit(call.request);
      throw notAuthenticated();
    }
    const { actor } = caller.identity;
    const tooSoon = limitedFor(limits.account(actor.id)[needs.spends].spend());
    if (tooSoon) refuse(tooSoon);
    if (limits.requestsOfAccounts.full(actor.id)) refuse(limited(RETRY_IN_FLIGHT_MS));
    limits.requestsOfAccounts.enter(actor.id);
    call.reply.raw.once('close', () => limits.requestsOfAccounts.leave(actor.id));
    if (needs.admin && actor.role !== 'admin') throw adminRequired;
    const { scope, openToAuditors } = needs;
    const problem = permissionProblem(caller.identity, { scope, openToAuditors, beforeSecondFactor: false });
    if (problem) refuse(problem);
    return { ...call, ...caller, actor };
  }

  private countVisit({ raw }: FastifyRequest): void {
    const tooSoon = this.parts.limits.visit(this.parts.proxies.addressOf(raw));
    if (tooSoon) refuse(tooSoon);
  }

  private placeOf(path: string) {
    return this.places.find((place) => place.path.test(path));
  }

  // Errors ------------------------------------------------------------------------------------------------------------

  answer(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    sendRefused(reply, this.refusedOf(error, request), request.headers.accept);
  }

  text(fault: Fault): string {
    const refusal = refusalOfFault(fault);
    return refusedText(translated(refusal, errors[refusal.code].status), refusal.more.retryAfterMs);
  }

  private refusedOf(error: unknown, request: FastifyRequest): Refused {
    const path = pathOf(request);
    const refused = error instanceof Refused ? error : this.ownRefusal(error, request, path);
    // makechat's dashboard understands only 200 and 401 here.
    if (path === '/api/ping' && request.method === 'GET' && refused.status !== 401 && refused.status !== 406)
      return notAuthenticated(refused.description);
    return refused;
  }

  private ownRefusal(error: unknown, request: FastifyRequest, path: string): Refused {
    const refusal = this.parts.problems.refusalOf(error, request);
    const refused = translated(refusal, errors[refusal.code].status);
    // makechat's page shows a refusal beside the field that it names, and fails if it names none.
    if (path !== '/api/register' || /password|email|username/i.test(refused.description)) return refused;
    return new Refused(
      refused.status,
      refused.title,
      `${refused.description} (No username was registered.)`,
      refused.more,
    );
  }
}

/**
 * Whether a content type contains JSON anywhere, as in makechat, but is not one that other sites can send without a CORS
 * preflight, such as `text/plain; application/json`.
 */
const isJsonType = (type = ''): boolean =>
  /application\/json/i.test(type) &&
  !/^\s*(text\/plain|multipart\/form-data|application\/x-www-form-urlencoded)/i.test(type);

/** The path of a request; a slash at its end is ignored. */
export const pathOf = ({ url }: FastifyRequest): string => (url.split('?')[0] ?? '').replace(/(?<=.)\/$/, '');

function placesOf(parts: Parts, credentials: Credentials) {
  const tokens = new Tokens(parts);
  const accounts = new Accounts(parts, credentials, tokens);
  const rooms = new Rooms(parts);
  const messages = new Messages(parts, rooms);

  const reading: Needs = { scope: 'read', openToAuditors: true, spends: 'reads' };
  const writing: Needs = { scope: 'manage', openToAuditors: false, spends: 'writes' };
  const administering: Needs = { ...writing, admin: true };
  const open = (handle: (call: Call) => Promise<Answer>, smallBody = false): Endpoint => ({
    needs: null,
    handle,
    smallBody,
  });
  const logout: Endpoint = { needs: null, endsSession: true, handle: (call) => accounts.logout(call) };
  const by = (needs: Needs, handle: (call: UserCall) => Promise<Answer>, smallBody = false): Endpoint => ({
    ...{ needs, handle, smallBody },
  });

  const places: Readonly<Record<string, Endpoints>> = {
    '/api/register': { POST: open((call) => accounts.register(call), true) },
    '/api/login': { POST: open((call) => accounts.login(call), true) },
    '/api/logout': { GET: logout },
    '/logout': { GET: logout },
    '/api/ping': { GET: by({ ...reading, light: true }, (call) => accounts.ping(call)) },
    '/api/users': { GET: by({ ...reading, admin: true }, (call) => accounts.list(call)) },
    '/api/tokens': {
      GET: by(reading, (call) => tokens.list(call)),
      // Auditors may have tokens of their own.
      POST: by({ ...writing, openToAuditors: true }, (call) => tokens.create(call), true),
    },
    '/api/tokens/{id}': { DELETE: by({ ...writing, openToAuditors: true }, (call) => tokens.revoke(call)) },
    '/api/rooms': {
      GET: by(reading, (call) => rooms.list(call)),
      POST: by(administering, (call) => rooms.create(call), true),
    },
    '/api/rooms/{id}': {
      PUT: by(administering, (call) => rooms.change(call)),
      PATCH: by(administering, (call) => rooms.change(call)),
      DELETE: by(administering, (call) => rooms.remove(call)),
    },
    '/api/members': { GET: by(reading, (call) => rooms.listMembers(call)) },
    '/api/messages': {
      GET: by(reading, (call) => messages.list(call)),
      POST: by({ scope: 'post', openToAuditors: false, spends: 'posts' }, (call) => messages.post(call)),
    },
  };
  return Object.entries(places).map(([path, methods]) => ({
    path: new RegExp(`^${path.replaceAll('{id}', '([^/]+)')}$`),
    methods,
  }));
}
