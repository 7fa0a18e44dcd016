import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Proxies } from '../../host/proxies.js';
import type { Limits } from '../../limits/limits.js';
import { isPlain } from '../plain-json.js';
import { malformed, SfchatRefusal } from './errors.js';

const MOST_CHARACTERS = 1_024;

const field = z.string().optional();
const report = z.object({
  'csp-report': z.object({
    'document-uri': field,
    referrer: field,
    'blocked-uri': field,
    'violated-directive': field,
    'original-policy': field,
  }),
});

/** `POST /csp-report/`: what browsers report about the content security policy goes to the log, without the codes of chats. */
export function takeReports(
  scope: FastifyInstance,
  { limits, proxies, log }: { readonly limits: Limits; readonly proxies: Proxies; readonly log: Logger },
): void {
  scope.post('/csp-report/', (request, reply) => {
    const tooSoon = limits.visit(proxies.addressOf(request.raw));
    if (tooSoon) throw SfchatRefusal.of(tooSoon);
    const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
    const read = report.safeParse(type === 'application/csp-report' ? parseJson(request.body) : undefined);
    if (!read.success) throw malformed;
    const fields = Object.entries(read.data['csp-report']).map(([name, value = '']) => [name, forLog(value)]);
    log.warn({ report: Object.fromEntries(fields) }, 'a browser has blocked something on a page of SFChat');
    return reply.status(204).send();
  });
}

function parseJson(body: unknown): unknown {
  try {
    const json: unknown = JSON.parse(`${body}`);
    return isPlain(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

/** Without queries and fragments, and without what may be the code of a chat or a token. */
const forLog = (text: string): string =>
  text
    .replace(/[?#][^\s;]*/g, '')
    .replace(/[a-z0-9]{24}/gi, '(24 characters)')
    .slice(0, MOST_CHARACTERS);
