import type { IncomingMessage } from 'node:http';
import type { ExecutionContext } from '@nestjs/common';
import {
  applyDecorators,
  createParamDecorator,
  Delete,
  Get,
  HttpCode,
  Patch,
  Post,
  Put,
  SetMetadata,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import {
  type BodyOf,
  type CallName,
  calls,
  issuesToErrors,
  type ParamsOf,
  type QueryOf,
  reasonHeader,
} from '@verbatim/protocol';
import type { FastifyRequest } from 'fastify';
import type { Identity } from '../../application/sessions/authentication.js';
import { newId } from '../../new-id.js';
import type { Purpose } from '../../write-side/inspections.js';
import type { Context } from '../../write-side/mailbox.js';
import { Refusal } from '../refusal.js';
import { CallGuard } from './call-guard.js';
import { CallInterceptor } from './call-interceptor.js';
import { CALL, type VerbatimRequest } from './request.js';

/** The validated input of a call. */
export interface InputOf<N extends CallName> {
  readonly params: ParamsOf<N>;
  readonly query: QueryOf<N>;
  readonly body: BodyOf<N>;
}

const verbs = { GET: Get, POST: Post, PUT: Put, PATCH: Patch, DELETE: Delete } as const;

/** Makes a controller method the handler of a call in the table of libs/protocol, which defines path, verb and status. */
export function Call(name: CallName): MethodDecorator {
  const { method, path, answers } = calls[name];
  // Where a call may create something or find that it exists, the method sets the status itself; created is the default.
  const success = Object.keys(answers).sort().at(-1) ?? '200';
  return applyDecorators(
    verbs[method](path.replaceAll(/\{(\w+)\}/g, ':$1')),
    HttpCode(Number(success)),
    SetMetadata(CALL, name),
    UseGuards(CallGuard),
    UseInterceptors(CallInterceptor),
  );
}

/** The request's parameters, query and body, checked and normalized by the schemas of its call. */
export const Input = createParamDecorator(<N extends CallName>(name: N, context: ExecutionContext): InputOf<N> => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  const { params, query, body } = calls[name] as { [part in 'params' | 'query' | 'body']?: Schema };
  const parts = {
    params: [params, request.params],
    query: [query, request.query],
    body: [body, request.body],
  } as const;
  const input: Record<string, unknown> = {};
  const errors: { path: string; message: string }[] = [];
  for (const [part, [schema, value]] of Object.entries(parts)) {
    if (!schema) continue;
    const read = schema.safeParse(value);
    if (read.success) input[part] = read.data;
    else errors.push(...issuesToErrors(read.error, part));
  }
  if (errors.length > 0) throw new Refusal('invalid_request', 'The request does not have the right form.', { errors });
  return input as unknown as InputOf<N>;
});

interface Schema {
  safeParse(
    value: unknown,
  ): { success: true; data: unknown } | { success: false; error: Parameters<typeof issuesToErrors>[0] };
}

/** The caller; the guard has ensured that calls which require one have one. */
export const By = createParamDecorator((_: unknown, context: ExecutionContext): Identity => {
  const { identity } = context.switchToHttp().getRequest<VerbatimRequest>();
  if (!identity) throw new Refusal('unauthenticated', 'Sign in first.');
  return identity;
});

/** The raw request, to find out where it comes from. */
export const From = createParamDecorator((_: unknown, context: ExecutionContext): IncomingMessage => {
  return context.switchToHttp().getRequest<FastifyRequest>().raw;
});

/** The correlation of the events that this request causes. */
export const Trace = createParamDecorator((_: unknown, context: ExecutionContext): Context => {
  return { correlation: context.switchToHttp().getRequest<FastifyRequest>().id };
});

/** Why a room is read, as far as the header Verbatim-Reason says. */
export const Why = createParamDecorator((_: unknown, context: ExecutionContext): Purpose => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  const sent = request.raw.headersDistinct['verbatim-reason'] ?? [];
  const read = reasonHeader.safeParse(sent[0]);
  if (sent.length > 1 || !read.success) {
    const message = 'must be 1 to 500 characters, percent-encoded where they are not ASCII';
    throw new Refusal('invalid_request', 'The header Verbatim-Reason cannot be read.', {
      errors: [{ path: 'headers.verbatim-reason', message }],
    });
  }
  return { reason: read.data, context: { correlation: request.id } };
});

/** An id for what this request creates: the same one when the request is repeated with its Idempotency-Key. */
export const NewId = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  return context.switchToHttp().getRequest<VerbatimRequest>().repeatableId ?? newId();
});
