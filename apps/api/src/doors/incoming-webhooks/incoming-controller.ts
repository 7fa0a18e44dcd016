import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { type BodyOf, calls, issuesToErrors, type ParamsOf, type Posted } from '@verbatim/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PostToWebhookCommand } from '../../application/webhooks/incoming-commands.js';
import { Proxies } from '../../host/proxies.js';
import { Limits } from '../../limits/limits.js';
import { newId } from '../../new-id.js';
import { accepted, Refusal } from '../refusal.js';
import { ReadYourWrites } from '../rest/read-your-writes.js';

const call = calls.postToHook;

/** The addresses at which programs post to rooms. They take no credential but themselves. */
@Controller()
export class IncomingController {
  constructor(
    private readonly commands: CommandBus,
    private readonly limits: Limits,
    private readonly proxies: Proxies,
    private readonly readYourWrites: ReadYourWrites,
  ) {}

  @Post(call.path.replace('{token}', ':token'))
  @HttpCode(201)
  async post(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<Posted> {
    const limited = this.limits.visit(this.proxies.addressOf(request.raw));
    if (limited) throw Refusal.of(limited);
    const { params, body } = inputOf(request);
    const { text, id = newId() } = body;
    const post = new PostToWebhookCommand(params.token, { id, text }, { correlation: request.id });
    const { roomId, revision, events, position } = accepted(await this.commands.execute(post));
    await this.readYourWrites.written(position, reply);
    if (events === 0) reply.status(200);
    return { id, roomId, revision: Number(revision) };
  }
}

/** What came with a request, checked by the schemas of the call. */
function inputOf(request: FastifyRequest): { params: ParamsOf<'postToHook'>; body: BodyOf<'postToHook'> } {
  const params = call.params.safeParse(request.params);
  const body = call.body.safeParse(request.body);
  if (params.success && body.success) return { params: params.data, body: body.data };
  const errors = [
    ...(params.error ? issuesToErrors(params.error, 'params') : []),
    ...(body.error ? issuesToErrors(body.error, 'body') : []),
  ];
  throw new Refusal('invalid_request', 'The request does not have the right form.', { errors });
}
