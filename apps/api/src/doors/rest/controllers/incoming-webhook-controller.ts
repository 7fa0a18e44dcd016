import { Controller, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { AnswerOf, NewIncomingWebhook } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import type { Identity } from '../../../application/sessions/authentication.js';
import {
  AddIncomingWebhookCommand,
  RemoveIncomingWebhookCommand,
} from '../../../application/webhooks/incoming-commands.js';
import { ListIncomingWebhooksQuery } from '../../../application/webhooks/webhook-queries.js';
import { incomingWebhookAnswer } from '../../../wire/webhook-answer.js';
import type { Context } from '../../../write-side/mailbox.js';
import { ReadYourWrites } from '../../read-your-writes.js';
import { accepted } from '../../refusal.js';
import { By, Call, Input, type InputOf, Trace } from '../call.js';

/** The incoming webhooks of rooms. Posts to their URLs arrive through a separate door. */
@Controller()
export class IncomingWebhookController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readYourWrites: ReadYourWrites,
  ) {}

  @Call('addIncomingWebhook')
  async add(
    @Input('addIncomingWebhook') { params, body }: InputOf<'addIncomingWebhook'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<NewIncomingWebhook> {
    const add = new AddIncomingWebhookCommand(params.id, actor, body.name, context);
    const { webhookId, webhook, token, position } = accepted(await this.commands.execute(add));
    await this.readYourWrites.written(position, reply);
    const answer = incomingWebhookAnswer({ id: webhookId, roomId: params.id, webhook });
    return { ...answer, path: `/v1/hooks/${token}` };
  }

  @Call('listIncomingWebhooks')
  async list(
    @Input('listIncomingWebhooks') { params }: InputOf<'listIncomingWebhooks'>,
    @By() { actor }: Identity,
  ): Promise<AnswerOf<'listIncomingWebhooks'>> {
    const found = accepted(await this.queries.execute(new ListIncomingWebhooksQuery(params.id, actor)));
    return { items: found.map(incomingWebhookAnswer), page: { next: null } };
  }

  @Call('removeIncomingWebhook')
  async remove(
    @Input('removeIncomingWebhook') { params }: InputOf<'removeIncomingWebhook'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const remove = new RemoveIncomingWebhookCommand(params.id, params.webhookId, actor, context);
    const { position } = accepted(await this.commands.execute(remove));
    await this.readYourWrites.written(position, reply);
  }
}
