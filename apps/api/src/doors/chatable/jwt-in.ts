import type { IncomingMessage } from 'node:http';
import { bearerIn } from '../bearer.js';
import type { Form } from './forms.js';

/** Where a client may put its JWT besides the header `Authorization`. */
interface Elsewhere {
  readonly query: URLSearchParams;
  readonly form?: Form;
}

/** The JWT of a request: in the header, or else in the parameter `access_token`, which browsers need to open sockets. */
export function jwtIn({ headers }: IncomingMessage, { query, form }: Elsewhere): string | undefined {
  if (headers.authorization !== undefined) return bearerIn(headers.authorization);
  return query.get('access_token') ?? form?.get('access_token');
}
