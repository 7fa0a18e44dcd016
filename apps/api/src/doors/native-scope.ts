import { isUtf8 } from 'node:buffer';
import { callList } from '@verbatim/protocol';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Host } from '../host/host.js';
import { isPlain } from './plain-json.js';
import { Refusal } from './refusal.js';
import { addBrowserHeaders, forAnswers, registerHelmet } from './security-headers.js';

/**
 * Sets up a scope for our own API: strict JSON bodies, headers for browsers, JSON responses. `admit` may refuse a
 * request before its body is read.
 */
export async function makeNativeScope(
  scope: FastifyInstance,
  { origins, proxies }: Pick<Host, 'origins' | 'proxies'>,
  admit: (request: FastifyRequest) => void = () => undefined,
): Promise<void> {
  addBrowserHeaders(scope, origins, proxies);
  await registerHelmet(scope, forAnswers);
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJson(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
  scope.addHook('preParsing', async (request: FastifyRequest) => {
    admit(request);
    if (isBodyless(request)) delete request.raw.headers['content-type'];
    if (!acceptsAnswer(request))
      throw new Refusal('not_acceptable', 'This address does not offer the requested media type.');
  });
}

/** Some clients send a content type without a body. */
const isBodyless = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  if (!isUtf8(body)) throw new Refusal('invalid_request', 'The body is not valid UTF-8.');
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8').replace(/^\uFEFF/, ''));
  } catch {
    throw new Refusal('invalid_request', 'The body is not valid JSON.');
  }
  if (!isPlain(json))
    throw new Refusal('invalid_request', 'The body is nested too deeply, or a number in it is too large.');
  return json;
}

const json = ['*/*', 'application/*', 'application/json', 'application/problem+json'];

/** The calls that respond with something other than JSON: patterns of their paths, and the media types they offer. */
const otherTypes = callList.flatMap(([, { path, mediaType }]) => {
  if (!mediaType) return [];
  const pattern = new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
  return [{ pattern, types: [mediaType, mediaType.replace(/\/.*/, '/*')] }];
});

/** Pages and metrics have types of their own; nearly everything under /v1 is JSON, and so is each error. */
function acceptsAnswer({ url, headers }: FastifyRequest): boolean {
  if (!url.startsWith('/v1') || !headers.accept) return true;
  const other = otherTypes.find(({ pattern }) => pattern.test(url.split('?')[0] ?? ''));
  const types = other ? [...json, ...other.types] : json;
  return headers.accept
    .split(',')
    .map((range) => range.split(';') as [string, ...string[]])
    .some(([type, ...options]) => {
      const quality = options.find((option) => option.trim().startsWith('q='));
      if (quality && Number(quality.trim().slice(2)) === 0) return false;
      return types.includes(type.trim().toLowerCase());
    });
}
