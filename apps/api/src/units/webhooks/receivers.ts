import { createHmac } from 'node:crypto';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { WebhookAddressPolicy } from '../../application/webhooks/webhook-address-policy.js';
import { about } from '../../config.js';
import { AddressRefused, guardedLookup, type Resolve, systemResolve } from './address.js';

/** Time in which a receiver must respond. */
const RESPONSE_TIMEOUT_MS = 10_000;
/** Bytes of a response that are read, and ignored. */
const MAX_RESPONSE_BYTES = 65_536;

/** One event on its way to a receiver. */
export interface Sending {
  readonly url: string;
  /** `whsec_` and the key in base64. */
  readonly secret: string;
  /** The same at each retry. */
  readonly id: string;
  readonly at: Date;
  readonly body: string;
}

/** The result; `error` is a sentence for the people who look after the webhook, null for success. */
export interface Outcome {
  readonly status: number | null;
  readonly error: string | null;
}

/** Sends events to addresses that users have chosen. */
export class Receivers {
  constructor(
    private readonly addresses: WebhookAddressPolicy,
    private readonly resolve: Resolve = systemResolve,
  ) {}

  /** Posts an event, signed according to Standard Webhooks. Redirects are not followed. */
  send({ url, secret, id, at, body }: Sending, until: AbortSignal): Promise<Outcome> {
    if (this.addresses.problemOf(url)) return Promise.resolve({ status: null, error: sentences.address });
    const timestamp = Math.floor(at.getTime() / 1_000);
    const options = {
      method: 'POST',
      agent: false as const,
      lookup: guardedLookup(this.resolve, this.addresses.allowPrivate),
      signal: AbortSignal.any([until, AbortSignal.timeout(RESPONSE_TIMEOUT_MS)]),
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'content-length': Buffer.byteLength(body),
        'user-agent': `${about.name}/${about.version}`,
        'webhook-id': id,
        'webhook-timestamp': `${timestamp}`,
        'webhook-signature': signature(secret, `${id}.${timestamp}.${body}`),
      },
    };
    return new Promise((resolve) => {
      const request = (url.startsWith('https:') ? requestHttps : requestHttp)(url, options, (response) => {
        const status = response.statusCode ?? 0;
        const taken = status >= 200 && status < 300;
        drain(response, () => {
          resolve({ status, error: taken ? null : `It answered ${status}.` });
          request.destroy();
        });
      });
      request.on('error', (error) => resolve({ status: null, error: sentenceFor(error) }));
      request.on('close', () => resolve({ status: null, error: sentences.connection }));
      request.end(body);
    });
  }
}

/** Reads a response to its end, or up to the limit. */
function drain(response: IncomingMessage, done: () => void): void {
  let read = 0;
  response.on('data', (chunk: Buffer) => {
    read += chunk.length;
    if (read > MAX_RESPONSE_BYTES) done();
  });
  for (const event of ['end', 'error', 'close']) response.on(event, done);
}

/** `v1` of Standard Webhooks: HMAC-SHA-256 keyed with the bytes of the secret. */
function signature(secret: string, signed: string): string {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}

const sentences = {
  address: 'The address is not a public one, or not https.',
  connection: 'The connection failed.',
  name: 'The name of the host could not be resolved.',
  late: 'There was no answer in time.',
  tls: 'The certificate is invalid, or TLS failed.',
} as const;

/** Messages of libraries are not passed on: they reveal the machine and its network. */
function sentenceFor(error: Error & { code?: string }): string {
  const { code = '', name } = error;
  if (error instanceof AddressRefused) return sentences.address;
  if (name === 'AbortError' || name === 'TimeoutError' || code === 'ABORT_ERR' || code === 'ETIMEDOUT')
    return sentences.late;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return sentences.name;
  return /CERT|TLS|SSL|SELF_SIGNED|VERIFY|ALTNAME/.test(code) ? sentences.tls : sentences.connection;
}
