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
import { type BodyOf, type CallName, calls, issuesToErrors, type ParamsOf, type QueryOf } from '@verbatim/protocol';
import type { FastifyRequest } from 'fastify';
import type { Identity } from '../accounts/authentication.js';
import type { Context } from '../mailbox/mailbox.js';
import { newId } from '../new-id.js';
import type { Device } from '../vault/sessions.js';
import { CallGuard } from './call-guard.js';
import { CallInterceptor } from './call-interceptor.js';
import { Refusal } from './refusal.js';
import { CALL, type VerbatimRequest } from './request.js';

/** What a call takes, checked. */
export interface InputOf<N extends CallName> {
  readonly params: ParamsOf<N>;
  readonly query: QueryOf<N>;
  readonly body: BodyOf<N>;
}

/** Characters kept of what a program calls itself. */
const MOST_USER_AGENT = 300;

const verbs = { GET: Get, POST: Post, PUT: Put, PATCH: Patch, DELETE: Delete } as const;

/** Makes a method of a controller the answer to a call of the table in libs/protocol: path, verb and status come from there. */
export function Call(name: CallName): MethodDecorator {
  const { method, path, answers } = calls[name];
  // Where a call may make something or find it made, the method itself says so; made is the rule.
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

/** Who asks; the guard has seen to it that calls which need somebody have somebody. */
export const By = createParamDecorator((_: unknown, context: ExecutionContext): Identity => {
  const { identity } = context.switchToHttp().getRequest<VerbatimRequest>();
  if (!identity) throw new Refusal('unauthenticated', 'Sign in first.');
  return identity;
});

/** What ties together the events this request causes. */
export const Trace = createParamDecorator((_: unknown, context: ExecutionContext): Context => {
  return { correlation: context.switchToHttp().getRequest<FastifyRequest>().id };
});

/** Where the request comes from, as far as its connection and its headers tell. */
export const From = createParamDecorator((_: unknown, context: ExecutionContext): Device => {
  const { ip, headers } = context.switchToHttp().getRequest<FastifyRequest>();
  return { address: ip, userAgent: headers['user-agent']?.slice(0, MOST_USER_AGENT) ?? null };
});

/** An id for what this request makes: the same again when the request is repeated with its Idempotency-Key. */
export const NewId = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  return context.switchToHttp().getRequest<VerbatimRequest>().repeatableId ?? newId();
});
