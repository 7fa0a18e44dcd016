import type { Rejection } from '@verbatim/domain';
import type { FastifyReply } from 'fastify';
import { rawAnswer } from '../../host/fault.js';
import { Refusal } from '../refusal.js';

// The texts and format of makechat. Its clients read every answer as ASCII and JSON.

/** A successful answer. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export const ok: Answer = { status: 200, body: { status: 'ok' } };

/** Refuses a request in makechat's format. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly description: string,
    readonly more: {
      readonly headers?: Readonly<Record<string, string>>;
      readonly link?: { readonly text: string; readonly href: string; readonly rel: string };
    } = {},
  ) {
    super(description);
    this.name = 'Refused';
  }

  get body(): object {
    const { title, description } = this;
    return { title, description, ...(this.more.link && { link: this.more.link }) };
  }
}

// Refusals with the texts of makechat ---------------------------------------------------------------------------------

export const notAuthenticated = (description = 'Please provide an auth token or login.'): Refused =>
  new Refused(401, 'Not authentificated', description, { headers: { 'www-authenticate': 'Token realm="makechat"' } });

export const adminRequired = new Refused(403, 'Permission Denied', 'Admin required.');

export const notAcceptable = new Refused(
  406,
  'Media type not acceptable',
  'This API only supports responses encoded as JSON.',
  {
    link: {
      text: 'Documentation related to this error',
      href: 'http://docs.examples.com/api/json',
      rel: 'help',
    },
  },
);

export const missing = (parameter: string): Refused =>
  new Refused(400, 'Missing parameter', `The '${parameter}' parameter is required.`);

export const invalid = (parameter: string, must: string): Refused =>
  new Refused(400, 'Invalid parameter', `The '${parameter}' parameter is invalid. The value must be ${must}.`);

export const emptyBody = new Refused(400, 'Empty request body', 'A valid JSON document is required.');

export const malformed = (why: string): Refused => new Refused(753, 'Malformed JSON', why);

export const tooLarge = new Refused(
  413,
  'Request body is too large',
  'The size of the request is too large. The body must not exceed 1024 bytes in length.',
);

export const occurred = (description: string): Refused => new Refused(400, 'Error occurred', description);

/** The validation error of makechat's library for one field. */
export const notValid = (document: 'Room' | 'Token', field: string, why: string): Refused =>
  occurred(`ValidationError (${document}:None) (${why}: ['${field}'])`);

export const nowhere = new Refused(404, 'Not Found', 'There is nothing at this address.');

/** The refusal of a method that a path does not know. */
export const methodNotAllowed = (methods: readonly string[]): Refused =>
  new Refused(405, '', '', { headers: { allow: [...methods, 'OPTIONS'].join(', ') } });

// Translating refusals of our own -------------------------------------------------------------------------------------

const titles: Readonly<Record<number, string>> = {
  400: 'Error occurred',
  403: 'Permission Denied',
  404: 'Not Found',
  429: 'Too many requests',
  500: 'Internal error',
  503: 'Service unavailable',
};

/** A refusal of the native API with this HTTP status, in makechat's words. */
export function translated({ detail, more }: Refusal, status: number): Refused {
  if (status === 401) return notAuthenticated(detail);
  if (status === 406 || status === 415) return notAcceptable;
  if (status === 413) return tooLarge;
  const headers =
    status === 429 || status === 503
      ? { 'retry-after': `${Math.ceil((more.retryAfterMs ?? 1_000) / 1_000)}` }
      : undefined;
  const same = status in titles ? status : 400;
  return new Refused(same, titles[same] ?? 'Error occurred', detail, { headers });
}

/** Throws a rejection as a refusal of the native API, which the door translates. */
export const refuse = (rejection: Rejection): never => {
  throw Refusal.of(rejection);
};

// Sending -------------------------------------------------------------------------------------------------------------

const JSON_TYPE = 'application/json; charset=utf-8';

/** JSON in which everything beyond ASCII is escaped. */
const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

export function sendAnswer(reply: FastifyReply, { status, body, headers = {} }: Answer): FastifyReply {
  return reply.status(status).headers(headers).type(JSON_TYPE).send(asciiJson(body));
}

/** Sends a refusal as JSON, as XML to clients that accept nothing else, or without a body to those that accept neither. */
export function sendRefused(reply: FastifyReply, refused: Refused, accept: string | undefined): void {
  reply.headers({ ...refused.more.headers });
  // Fastify does not know this status, nor Node its phrase.
  reply.raw.statusCode = refused.status;
  if (refused.status === 753) reply.raw.statusMessage = 'Syntax Error';
  if (refused.status === 405) reply.send();
  else if (accepts(accept, ['application/json']) || /\+json/i.test(accept ?? ''))
    reply.type(JSON_TYPE).send(asciiJson(refused.body));
  else if (accepts(accept, ['application/xml', 'text/xml']) || /\+xml/i.test(accept ?? ''))
    reply.type('application/xml; charset=utf-8').send(xml(refused));
  else reply.send();
}

/** A refusal as a complete response, for a connection that is closed after it. */
export const refusedText = (refused: Refused, retryAfterMs?: number): string =>
  rawAnswer(refused.status, JSON_TYPE, asciiJson(refused.body), { retryAfterMs });

function xml({ title, description, more: { link } }: Refused): string {
  const element = (name: string, text: string) =>
    `<${name}>${text.replace(/[<>&]|[^ -~]/gu, (sign) => `&#${sign.codePointAt(0)};`)}</${name}>`;
  const help = link
    ? `<link>${element('text', link.text)}${element('href', link.href)}${element('rel', link.rel)}</link>`
    : '';
  const parts = `${element('title', title)}${element('description', description)}${help}`;
  return `<?xml version="1.0" encoding="UTF-8"?><error>${parts}</error>`;
}

/** Whether a client accepts one of these media types: by the most specific range for each, with a quality above zero. */
export function accepts(header: string | undefined, types: readonly string[]): boolean {
  if (header === undefined || header.trim() === '') return true;
  const ranges = header.split(',').map((range) => {
    const [type = '', ...options] = range.split(';').map((part) => part.trim().toLowerCase());
    const quality = options.find((option) => option.startsWith('q='));
    return { type: type === '*' ? '*/*' : type, wanted: quality === undefined || Number(quality.slice(2)) > 0 };
  });
  return types.some((type) => {
    const specific = [type, type.replace(/\/.*/, '/*'), '*/*'];
    const range = specific.map((wanted) => ranges.find((one) => one.type === wanted)).find((found) => found);
    return range?.wanted ?? false;
  });
}
