import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Sweep } from '../../composition/contributions.js';
import { door } from '../../host/part.js';
import { Api, pathOf } from './api.js';
import { CustomFiles } from './custom-files.js';
import { Pages } from './pages.js';
import { DOOR, partsOf } from './parts.js';
import { sessionTables } from './session-cookies.js';
import { tokenTables } from './token-values.js';

const blank = (value: unknown) => (value === '' ? undefined : value);

/** Where the socket of the native API is. */
const SOCKET = '/v1/ws';
const YEAR_SECONDS = 31_536_000;

/** The API and the pages of makechat (0.1.24), on its own port. Off without `MAKECHAT_PORT`. */
export const makechatDoor = door({
  name: DOOR,
  settings: {
    MAKECHAT_PORT: z.preprocess(blank, z.coerce.number().int().min(0).max(65_535).optional()),
    MAKECHAT_CUSTOM: z.preprocess(blank, z.string().optional()),
    MAKECHAT_SESSION_TTL: z.preprocess(blank, z.coerce.number().int().min(60).max(2_592_000).default(3_600)),
  },
  migrations: [sessionTables, tokenTables],
  async open(application, host, { MAKECHAT_PORT, MAKECHAT_CUSTOM, MAKECHAT_SESSION_TTL }) {
    if (MAKECHAT_PORT === undefined) return {};
    const custom = MAKECHAT_CUSTOM === undefined ? null : await CustomFiles.open(MAKECHAT_CUSTOM);
    const parts = partsOf(application, MAKECHAT_SESSION_TTL);
    const listener = host.listen(MAKECHAT_PORT);
    const api = new Api(parts);
    const pages = new Pages(parts.queries, custom, listener, host.main);
    listener.faults = api;
    listener.passUpgradesOn(SOCKET, host.main);
    await listener.scope(async (scope) => {
      takeAnyBody(scope);
      await scope.register(fastifyStatic, { root: custom?.root ?? process.cwd(), serve: false, dotfiles: 'deny' });
      scope.setErrorHandler((error, request, reply) => api.answer(error, request, reply));
      scope.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
        reply.header('x-content-type-options', 'nosniff');
        if (host.proxies.secure(request.raw))
          reply.header('strict-transport-security', `max-age=${YEAR_SECONDS}; includeSubDomains`);
        if (!isApi(request)) return pages.answer(request, reply);
        reply.header('cache-control', 'no-store');
        return api.refuseUnknown(request, reply);
      });
      const handle = (request: FastifyRequest, reply: FastifyReply) => api.handle(request, reply);
      scope.all('/*', handle);
      scope.setNotFoundHandler(handle);
    });
    return {
      announced: [{ title: 'makechat', address: () => listener.url }],
      sweeps: [new Sweep('makechat tokens', () => parts.tokenValues.sweep())],
    };
  },
});

/** `/logout` is part of the API, even if the operator has a page there. */
const isApi = (request: FastifyRequest): boolean => /^\/(api(\/|$)|logout$)/.test(pathOf(request));

/**
 * Bodies are read as bytes, whatever their type, because makechat checks them first. A length of 0 means no body; only a
 * chunked body can turn out to be empty.
 */
function takeAnyBody(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    const isAnnounced = request.headers['transfer-encoding'] !== undefined;
    done(null, body.length > 0 || isAnnounced ? body : undefined);
  });
}
