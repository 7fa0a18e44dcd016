import type { CommandBus, QueryBus } from '@nestjs/cqrs';
import { isRejection } from '@verbatim/domain';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GetConversationQuery, ListConversationsQuery } from '../../application/messages/conversation-queries.js';
import type { Identity } from '../../application/sessions/authentication.js';
import { SignOutCommand } from '../../application/sessions/session-commands.js';
import { AuthenticateSignatureQuery } from '../../application/signed-requests/signed-requests.js';
import type { Proxies } from '../../host/proxies.js';
import { limited, limitedFor } from '../../limits/limited.js';
import type { Limits } from '../../limits/limits.js';
import type { Reads } from '../../limits/reads.js';
import { accepted, Refusal } from '../refusal.js';
import { forAnswers, registerHelmet } from '../security-headers.js';
import { context } from './context.js';
import { type Envelopes, NobodyKnown, NoSuchPath, nanoseconds, PER_PAGE, success, userError } from './envelope.js';
import { type Form, isAnyName, noForm, readCredentials, readForm, readRegistrant } from './forms.js';
import { jwtIn } from './jwt-in.js';
import { sentMessage } from './packets.js';
import type { PublicTokens } from './public-tokens.js';

/** Bytes of a form. */
const MAX_FORM_BYTES = 16_384;
/** The last page that can have items; later ones are empty. */
const MAX_PAGE = 10_000;

export interface RouteParts {
  readonly commands: CommandBus;
  readonly queries: QueryBus;
  readonly tokens: PublicTokens;
  readonly limits: Limits;
  readonly reads: Reads;
  readonly proxies: Proxies;
  readonly envelopes: Envelopes;
}

/** The paths below /api, except that of the WebSocket. */
export async function addRoutes(scope: FastifyInstance, parts: RouteParts): Promise<void> {
  const { commands, queries, tokens, limits, reads, proxies, envelopes } = parts;
  scope.removeAllContentTypeParsers();
  const [form, bodyLimit] = ['application/x-www-form-urlencoded', MAX_FORM_BYTES];
  scope.addContentTypeParser(form, { parseAs: 'buffer', bodyLimit }, (_request, body, done) => {
    done(null, readForm(body as Buffer));
  });
  // As in the original, a body of another type is read but has no fields.
  scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, _body, done) => {
    done(null, noForm);
  });
  await registerHelmet(scope, forAnswers);
  scope.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
  scope.setErrorHandler((error, request, reply) => envelopes.answer(error, request, reply));
  scope.setNotFoundHandler((request, reply) => envelopes.answer(new NoSuchPath(), request, reply));

  scope.post('/api/register', async (request) => {
    countVisit(request);
    const registrant = readRegistrant(formOf(request));
    const token = await tokens.register(registrant, proxies.clientOf(request.raw));
    const { firstName, lastName, username, email, phone } = registrant;
    return success([{ first_name: firstName, last_name: lastName, username, email, phone_number: phone, token }]);
  });

  scope.post('/api/auth_token', async (request) => {
    countVisit(request);
    const form = formOf(request);
    const refreshToken = form.get('refresh_token');
    if (refreshToken) return success([await tokens.refresh(refreshToken)]);
    return success([await tokens.signIn(readCredentials(form), proxies.clientOf(request.raw))]);
  });

  scope.delete('/api/auth_token', async (request, reply) => {
    const identity = await callerOf(request, reply, 'writes');
    accepted(await commands.execute(new SignOutCommand(identity, context(request.id))));
    return success([]);
  });

  scope.get('/api/inbox', (request, reply) =>
    reading(request, reply, async ({ actor }) => {
      const page = pageOf(request);
      const found = await queries.execute(new ListConversationsQuery(actor, stretchOf(page)));
      const withPartner = queryOf(request).get('partner') === '1';
      const entries = found.map(({ peer, latest: { author, postedAt, text } }) => ({
        author_username: author.username ?? '',
        created_at: nanoseconds(postedAt),
        latest_message: text,
        ...(withPartner && { partner: peer.username ?? '' }),
      }));
      return success(entries, page);
    }),
  );

  scope.get<{ Params: { username: string } }>('/api/thread/:username', (request, reply) => {
    const { username } = request.params;
    if (!isAnyName(username)) throw new NoSuchPath();
    return reading(request, reply, async ({ actor }) => {
      const page = pageOf(request);
      const found = await queries.execute(
        new GetConversationQuery(actor, username, stretchOf(page), context(request.id)),
      );
      if (isRejection(found)) {
        if (found.rejected === 'NotFound') throw userError('unknown username');
        return accepted<never>(found);
      }
      const { own, peer, messages } = found;
      const entries = messages.map(({ author, text, postedAt }) =>
        author.id === actor.id ? sentMessage(own, peer, text, postedAt) : sentMessage(peer, own, text, postedAt),
      );
      return success(entries, page);
    });
  });

  scope.get('/api/ws', async (request, reply) => {
    await callerOf(request, reply, 'reads');
    throw userError('please ask for an upgrade to a WebSocket');
  });

  function countVisit({ raw }: FastifyRequest): void {
    const tooSoon = limits.visit(proxies.addressOf(raw));
    if (tooSoon) throw Refusal.of(tooSoon);
  }

  /** Who signed the request; it counts against their limits until it is answered. */
  async function callerOf(
    request: FastifyRequest,
    { raw }: FastifyReply,
    spends: 'reads' | 'writes',
  ): Promise<Identity> {
    const jwt = jwtIn(request.raw, { query: queryOf(request), form: formOf(request) });
    const identity = jwt ? await queries.execute(new AuthenticateSignatureQuery(jwt)) : null;
    if (!identity) {
      countVisit(request);
      throw new NobodyKnown();
    }
    const { id } = identity.actor;
    const tooSoon = limitedFor(limits.account(id)[spends].spend());
    if (tooSoon) throw Refusal.of(tooSoon);
    const { requestsOfAccounts } = limits;
    if (requestsOfAccounts.full(id)) throw Refusal.of(limited(1_000));
    requestsOfAccounts.enter(id);
    raw.once('close', () => requestsOfAccounts.leave(id));
    return identity;
  }

  /** Answers a read of an authenticated caller when it is their turn. */
  async function reading<T extends object>(
    request: FastifyRequest,
    reply: FastifyReply,
    read: (identity: Identity) => Promise<T>,
  ): Promise<T> {
    const identity = await callerOf(request, reply, 'reads');
    return accepted<T>(await reads.answer(reads.account(identity.actor.id), reply.raw, () => read(identity)));
  }
}

const formOf = ({ body }: FastifyRequest): Form => (body instanceof Map ? (body as Form) : noForm);

const queryOf = ({ url }: FastifyRequest): URLSearchParams => new URLSearchParams(url.split('?').slice(1).join('?'));

/** The requested page; 1 if it is not a valid page number. */
function pageOf(request: FastifyRequest): number {
  const page = queryOf(request).get('page') ?? '';
  return /^\+?\d{1,15}$/.test(page) ? Math.max(1, Number(page)) : 1;
}

const stretchOf = (page: number) => ({
  offset: (Math.min(page, MAX_PAGE) - 1) * PER_PAGE,
  limit: page > MAX_PAGE ? 0 : PER_PAGE,
});
