import { callList } from '@verbatim/protocol';
import type { FastifyRequest } from 'fastify';
import { Refusal } from '../refusal.js';

/** The path of each call: its pattern, whether it has placeholders, and its methods. */
const places = callList.map(([, { path, method }]) => ({
  pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
  literal: !path.includes('{'),
  methods: method === 'GET' ? ['GET', 'HEAD'] : [method],
}));

/** The methods that an address supports, none if there is no call. `/v1/users/export` is not a `/v1/users/{id}`. */
export function methodsAt(url: string): string[] {
  const path = url.split('?')[0] ?? '';
  const there = places.filter(({ pattern }) => pattern.test(path));
  const exact = there.filter(({ literal }) => literal);
  return [...new Set((exact.length > 0 ? exact : there).flatMap(({ methods }) => methods))];
}

/** The refusal of an unknown address, or of a method that the address does not support. */
export function noSuchPlace({ url }: FastifyRequest): Refusal {
  if (/^\/v1\/ws(\?|$)/.test(url))
    return new Refusal('not_found', 'This address only opens WebSockets (RFC 6455, version 13).');
  const methods = methodsAt(url);
  if (methods.length === 0) return new Refusal('not_found', 'There is nothing at this address.');
  const allow = methods.join(', ');
  return new Refusal('method_not_allowed', `This address supports ${allow}.`, { headers: { allow } });
}
