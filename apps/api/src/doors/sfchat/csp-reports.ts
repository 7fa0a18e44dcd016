import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Proxies } from '../../host/proxies.js';
import type { Limits } from '../../limits/limits.js';
import { isPlain } from '../plain-json.js';
import { malformed, SfchatRefusal } from './errors.js';

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

/**
 * `POST /csp-report/`: logs violations of the content security policy that browsers report. Anyone can send a report with any
 * text, and URLs contain codes of chats, so only the violated directive and the site are logged.
 */
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
    const { 'violated-directive': violated = '', 'blocked-uri': blocked = '' } = read.data['csp-report'];
    const found = { directive: directive.exec(violated)?.[0] ?? 'another', blocked: originOf(blocked) };
    log.warn(found, 'a browser has blocked something on a page of SFChat');
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

const directive = /^(?:[a-z]+-src(?:-elem|-attr)?|base-uri|form-action|frame-ancestors)(?= |$)/;
/** Keywords that browsers send instead of a URL (CSP Level 3, 2.4). */
const inPlace = ['inline', 'eval', 'wasm-eval', 'data', 'blob', 'self'];

const originOf = (uri: string): string =>
  inPlace.includes(uri) ? uri : URL.canParse(uri) && /^https?:/.test(uri) ? new URL(uri).origin : 'another';
