import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { CommandBus, QueryBus } from '@nestjs/cqrs';
import { isRejection, type Rejection } from '@verbatim/domain';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { JoinEphemeralChatCommand, OpenEphemeralChatCommand } from '../../application/ephemeral-chats/chat-commands.js';
import { GetChatStatusQuery } from '../../application/ephemeral-chats/chat-looks.js';
import type { Proxies } from '../../host/proxies.js';
import type { Limits } from '../../limits/limits.js';
import type { ChatCredentials } from '../../storage/ephemeral/chat-store.js';
import { chatPage, homePage } from './chat-pages.js';
import { takeReports } from './csp-reports.js';
import { notFound, type SfchatErrors, SfchatRefusal } from './errors.js';
import { html, page } from './html.js';
import { cookieOf, pageHeaders, setCookie } from './page-headers.js';
import { staticPages } from './static-pages.js';

interface Parts {
  readonly commands: CommandBus;
  readonly queries: QueryBus;
  readonly limits: Limits;
  readonly errors: SfchatErrors;
  readonly log: Logger;
  readonly proxies: Proxies;
  readonly trackingId: string;
}

const CSRF_COOKIE = 'csrftoken';
const CSRF_FIELD = 'csrfmiddlewaretoken';
const DAY_SECONDS = 86_400;
const YEAR_SECONDS = 31_536_000;
/** The cookie that passes a new participant's token to the page of the chat, which removes it. */
const HANDOVER_COOKIE = 'sfchat-token';
const HANDOVER_SECONDS = 60;

/** The home page, the page of a chat, and the pages about both. */
export async function servePages(scope: FastifyInstance, parts: Parts): Promise<void> {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  scope.setErrorHandler((error, request, reply) => {
    pageHeaders(request, reply, parts.proxies);
    parts.errors.answer(error, request, reply);
  });
  scope.get('/', (request, reply) => home(parts, request, reply));
  scope.post('/', (request, reply) => join(parts, request, reply));
  scope.post('/create-chat/', (request, reply) => create(parts, request, reply));
  scope.get('/chat/:code', (request, reply) => chat(parts, request, reply));
  for (const { path, title, content } of staticPages)
    scope.get(path, (request, reply) => {
      const nonce = pageHeaders(request, reply, parts.proxies, { cache: `public, max-age=${YEAR_SECONDS}` });
      return reply.send(page({ title, nonce }, content));
    });
  await serveFiles(scope);
  serveForSearchEngines(scope, parts.proxies);
  takeReports(scope, parts);
}

function home(parts: Parts, request: FastifyRequest, reply: FastifyReply, error?: string): FastifyReply {
  const { proxies, trackingId } = parts;
  const csrfToken = cookieOf(request, CSRF_COOKIE) ?? randomBytes(16).toString('hex');
  setCookie(request, reply, proxies, { name: CSRF_COOKIE, value: csrfToken, path: '/', seconds: DAY_SECONDS });
  const nonce = pageHeaders(request, reply, proxies, { analytics: trackingId !== '' });
  return reply.send(homePage({ nonce, csrfToken, error, trackingId }));
}

async function create(parts: Parts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  checkForm(parts, request);
  const opened = await parts.commands.execute(new OpenEphemeralChatCommand());
  if (isRejection(opened)) throw SfchatRefusal.of(opened);
  return enter(parts, request, reply, opened, 301);
}

async function join(parts: Parts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const form = checkForm(parts, request);
  const code = (form.get('chat_token') ?? '').trim().toLowerCase();
  if (code === '') return home(parts, request, reply, 'This field is required.');
  if (!isCode(code)) return home(parts, request, reply, 'Invalid code.');
  const joined = await parts.commands.execute(new JoinEphemeralChatCommand(code));
  if (!isRejection(joined)) return enter(parts, request, reply, joined, 302);
  if (joined.rejected === 'NotFound') return home(parts, request, reply, 'Invalid code.');
  throw SfchatRefusal.of(joined);
}

function enter(
  { proxies }: Parts,
  request: FastifyRequest,
  reply: FastifyReply,
  { code, token }: ChatCredentials,
  status: 301 | 302,
): FastifyReply {
  const path = `/chat/${code}`;
  setCookie(request, reply, proxies, { name: HANDOVER_COOKIE, value: token, path, seconds: HANDOVER_SECONDS });
  return reply.header('cache-control', 'no-store').redirect(path, status);
}

async function chat(parts: Parts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { proxies, queries } = parts;
  const { code } = request.params as { code: string };
  if (!isCode(code)) throw notFound;
  const status = await queries.execute(new GetChatStatusQuery(code));
  if (status === null) {
    refuse(parts.limits.visit(proxies.addressOf(request.raw)));
    throw notFound;
  }
  if (status === 'closed') return reply.header('cache-control', 'no-store').redirect('/', 302);
  const userToken = cookieOf(request, HANDOVER_COOKIE);
  if (userToken)
    setCookie(request, reply, proxies, { name: HANDOVER_COOKIE, value: '', path: `/chat/${code}`, seconds: 0 });
  // The URL contains the code, which must not appear in a proxy's log as the referrer of each file.
  const nonce = pageHeaders(request, reply, proxies, { referrer: 'no-referrer' });
  return reply.send(chatPage({ nonce, userToken, status, host: proxies.hostOf(request.raw) }));
}

const isCode = (text: string): boolean => /^[a-z0-9]{24}$/.test(text);

/** Checks that a form comes from our own page: its token equals the one in the cookie, which other sites cannot read. */
function checkForm({ limits, proxies }: Parts, request: FastifyRequest): URLSearchParams {
  refuse(limits.visit(proxies.addressOf(request.raw)));
  const form = new URLSearchParams(typeof request.body === 'string' ? request.body : '');
  const [sent, cookie] = [Buffer.from(form.get(CSRF_FIELD) ?? ''), Buffer.from(cookieOf(request, CSRF_COOKIE) ?? '')];
  if (cookie.length === 0 || sent.length !== cookie.length || !timingSafeEqual(sent, cookie))
    throw new SfchatRefusal(403, 'Forbidden');
  return form;
}

function refuse(rejection: Rejection | null): void {
  if (rejection) throw SfchatRefusal.of(rejection);
}

// Static pages -------------------------------------------------------------------------------------------------------

const files = {
  'chat.js': 'text/javascript; charset=utf-8',
  'home.js': 'text/javascript; charset=utf-8',
  'sfchat.css': 'text/css; charset=utf-8',
  'close.svg': 'image/svg+xml',
};

async function serveFiles(scope: FastifyInstance): Promise<void> {
  for (const [name, mediaType] of Object.entries(files)) {
    const content = await readFile(new URL(`./browser/${name}`, import.meta.url));
    scope.get(`/static/${name}`, (_request, reply) =>
      reply
        .headers({ 'cache-control': 'public, max-age=300', 'x-content-type-options': 'nosniff' })
        .type(mediaType)
        .send(content),
    );
  }
}

function serveForSearchEngines(scope: FastifyInstance, proxies: Proxies): void {
  const root = ({ raw }: FastifyRequest) => `${proxies.secure(raw) ? 'https' : 'http'}://${proxies.hostOf(raw)}`;
  scope.get('/robots.txt', (request, reply) =>
    reply
      .type('text/plain; charset=utf-8')
      .send(`User-agent: *\nDisallow: /chat/\nDisallow: /api/\nSitemap: ${root(request)}/sitemap.xml\n`),
  );
  scope.get('/sitemap.xml', (request, reply) => {
    const places = ['/', ...staticPages.map(({ path }) => path)];
    const urls = places.map((path) => html`<url><loc>${root(request)}${path}</loc></url>\n`);
    const sitemap = html`<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
${urls}</urlset>
`;
    return reply.type('application/xml; charset=utf-8').send(sitemap.text);
  });
}
