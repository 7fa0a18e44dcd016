import type { QueryBus } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GetNoticesQuery } from '../../application/operation/operation-queries.js';
import type { HttpListener } from '../../host/http-listener.js';
import { accepts } from './answers.js';
import { pathOf } from './api.js';
import type { CustomFiles } from './custom-files.js';
import { maintenancePage, notFoundPage, ownPages, policy } from './own-pages.js';

/** The paths of the native API and the dashboard, on every listener. */
const native = /^\/(v1|admin|health)(\/|$)/;
/** The pages that have one address, without a slash at its end. */
const isForm = /^\/(login|register)$/;
const dashboard = /^\/makechat\/admin(\/|$)/;

/**
 * Everything except makechat's API, with the paths of its front end: files of the operator first, then our own pages; during
 * maintenance one page replaces them all. The dashboard at /makechat/admin and the native API that it needs are those of the
 * main listener.
 */
export class Pages {
  constructor(
    private readonly queries: QueryBus,
    private readonly custom: CustomFiles | null,
    private readonly listener: HttpListener,
    private readonly main: HttpListener,
  ) {}

  async answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const path = pathOf(request);
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (native.test(path) || dashboard.test(path)) return this.passOn(request, reply);
    const page = ownPages.get(path);
    const { maintenance } = await this.queries.execute(new GetNoticesQuery());
    // The notice needs its style sheet.
    if (maintenance && page?.type !== 'text/css')
      return withHeaders(reply).status(503).type('text/html; charset=utf-8').send(maintenancePage);
    if (!isRead) return this.nothing(reply.status(405).header('allow', 'GET, HEAD'));
    if (isForm.test(path) && request.url.split('?')[0] !== path) return reply.redirect(path, 301);
    if (await this.sendFile(path, reply)) return reply;
    if (path === '/' || path === '/home') return reply.redirect('/dashboard');
    if (path === '/dashboard') return reply.redirect('/makechat/admin/');
    if (!page) return this.nowhere(reply.status(404));
    return withHeaders(reply).type(`${page.type}; charset=utf-8`).send(page.text);
  }

  private passOn(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { raw } = request;
    if (/^\/makechat\/admin(?=\?|$)/.test(request.url)) return reply.redirect('/makechat/admin/');
    raw.url = (raw.url ?? '/').replace(/^\/makechat\/admin/, '/admin');
    this.listener.passOn(request, reply, this.main);
    return reply;
  }

  /** Sends the operator's file for a path. Such pages need inline styles and `eval`, like those of makechat. */
  private async sendFile(path: string, reply: FastifyReply): Promise<boolean> {
    const file = await this.custom?.find(path);
    if (!file || !this.custom) return false;
    reply.header('cache-control', 'no-cache').sendFile(file, this.custom.root);
    return true;
  }

  /** The operator's own 404 page, for requests of browsers. */
  private async nowhere(reply: FastifyReply): Promise<FastifyReply> {
    const isPage = accepts(reply.request.headers.accept, ['text/html']);
    return isPage && (await this.sendFile('/404', reply)) ? reply : this.nothing(reply);
  }

  private nothing(reply: FastifyReply): FastifyReply {
    const isPage = accepts(reply.request.headers.accept, ['text/html']);
    return withHeaders(reply)
      .type(isPage ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8')
      .send(isPage ? notFoundPage : 'There is nothing at this address.\n');
  }
}

const withHeaders = (reply: FastifyReply): FastifyReply =>
  reply.headers({
    'cache-control': 'no-cache',
    'content-security-policy': policy,
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
  });
