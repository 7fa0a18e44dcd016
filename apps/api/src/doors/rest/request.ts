import type { FastifyRequest } from 'fastify';
import type { Identity } from '../../application/sessions/authentication.js';

/** Where Nest keeps the name of the call that a method of a controller answers. */
export const CALL = 'verbatim:call';

/** What the service knows about a request in addition to Fastify. */
export interface VerbatimRequest extends FastifyRequest {
  identity?: Identity;
  /** Set where an Idempotency-Key was sent: ids made for this request are the same at each repetition. */
  repeatableId?: string;
}
