import { Controller, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { Rejection, RoomState } from '@verbatim/domain';
import type { AnswerOf, NewWebhook, Webhook } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import type { Identity } from '../../../application/sessions/authentication.js';
import { isAddressRejection } from '../../../application/webhooks/webhook-address-policy.js';
import {
  AddWebhookCommand,
  ChangeWebhookCommand,
  RemoveWebhookCommand,
  RotateWebhookSecretCommand,
} from '../../../application/webhooks/webhook-commands.js';
import { GetWebhookQuery, ListWebhooksQuery } from '../../../application/webhooks/webhook-queries.js';
import { webhookAnswer } from '../../../wire/webhook-answer.js';
import type { Context, Decided } from '../../../write-side/mailbox.js';
import { ReadYourWrites } from '../../read-your-writes.js';
import { accepted, Refusal } from '../../refusal.js';
import { By, Call, Input, type InputOf, Trace } from '../call.js';

/** The outgoing webhooks of rooms. */
@Controller()
export class WebhookController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readYourWrites: ReadYourWrites,
  ) {}

  @Call('addWebhook')
  async add(
    @Input('addWebhook') { params, body }: InputOf<'addWebhook'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<NewWebhook> {
    const add = new AddWebhookCommand(params.id, actor, body, context);
    const { webhookId, secret, state } = await this.written(await this.commands.execute(add), reply);
    return { ...(await this.webhook(params.id, webhookId, actor, state)), secret };
  }

  @Call('listWebhooks')
  async list(
    @Input('listWebhooks') { params }: InputOf<'listWebhooks'>,
    @By() { actor }: Identity,
  ): Promise<AnswerOf<'listWebhooks'>> {
    const found = accepted(await this.queries.execute(new ListWebhooksQuery(params.id, actor)));
    return { items: found.map(webhookAnswer), page: { next: null } };
  }

  @Call('getWebhook')
  get(@Input('getWebhook') { params }: InputOf<'getWebhook'>, @By() { actor }: Identity): Promise<Webhook> {
    return this.webhook(params.id, params.webhookId, actor);
  }

  @Call('changeWebhook')
  async change(
    @Input('changeWebhook') { params, body }: InputOf<'changeWebhook'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Webhook> {
    const change = new ChangeWebhookCommand(params.id, params.webhookId, actor, body, context);
    const { state } = await this.written(await this.commands.execute(change), reply);
    return this.webhook(params.id, params.webhookId, actor, state);
  }

  @Call('removeWebhook')
  async remove(
    @Input('removeWebhook') { params }: InputOf<'removeWebhook'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const remove = new RemoveWebhookCommand(params.id, params.webhookId, actor, context);
    await this.written(await this.commands.execute(remove), reply);
  }

  @Call('rotateWebhookSecret')
  async rotate(
    @Input('rotateWebhookSecret') { params }: InputOf<'rotateWebhookSecret'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AnswerOf<'rotateWebhookSecret'>> {
    const rotate = new RotateWebhookSecretCommand(params.id, params.webhookId, actor, context);
    const { secret } = await this.written(await this.commands.execute(rotate), reply);
    return { secret };
  }

  private async webhook(roomId: string, webhookId: string, actor: Identity['actor'], room?: RoomState) {
    return webhookAnswer(accepted(await this.queries.execute(new GetWebhookQuery(roomId, webhookId, actor, room))));
  }

  private async written<T extends Decided<RoomState>>(outcome: T | Rejection, reply: FastifyReply): Promise<T> {
    if (isAddressRejection(outcome)) {
      const errors = [{ path: 'body.url', message: outcome.addressProblem }];
      throw new Refusal('invalid_request', outcome.detail, { errors });
    }
    const decided = accepted(outcome);
    await this.readYourWrites.written(decided.position, reply);
    return decided;
  }
}
