import { Controller, Res } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { governingProblem, type RoomState } from '@verbatim/domain';
import type { AnswerOf, IncomingWebhook, NewIncomingWebhook } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import type { Identity } from '../../../application/accounts/authentication.js';
import {
  AddIncomingWebhookCommand,
  RemoveIncomingWebhookCommand,
} from '../../../application/webhooks/incoming-commands.js';
import { Rooms } from '../../../write-side/entities.js';
import type { Context } from '../../../write-side/mailbox.js';
import { ReadYourWrites } from '../../read-your-writes.js';
import { accepted, Refusal } from '../../refusal.js';
import { By, Call, Input, type InputOf, Trace } from '../call.js';

/** The addresses of a room at which programs post to it. */
@Controller()
export class IncomingWebhookController {
  constructor(
    private readonly commands: CommandBus,
    private readonly rooms: Rooms,
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
    const { webhookId, token, state, position } = accepted(await this.commands.execute(add));
    await this.readYourWrites.written(position, reply);
    return { ...incomingAnswer(params.id, webhookId, state), path: `/v1/hooks/${token}` };
  }

  @Call('listIncomingWebhooks')
  async list(
    @Input('listIncomingWebhooks') { params }: InputOf<'listIncomingWebhooks'>,
    @By() { actor }: Identity,
  ): Promise<AnswerOf<'listIncomingWebhooks'>> {
    const { state } = await this.rooms.newest(params.id);
    const refused = actor.role === 'auditor' ? null : governingProblem(state, actor);
    if (refused) throw Refusal.of(refused);
    const items = Object.keys(state.incomingWebhooks).map((id) => incomingAnswer(params.id, id, state));
    return { items, page: { next: null } };
  }

  @Call('removeIncomingWebhook')
  async remove(
    @Input('removeIncomingWebhook') { params }: InputOf<'removeIncomingWebhook'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const end = new RemoveIncomingWebhookCommand(params.id, params.webhookId, actor, context);
    await this.readYourWrites.written(accepted(await this.commands.execute(end)).position, reply);
  }
}

function incomingAnswer(roomId: string, id: string, state: RoomState): IncomingWebhook {
  const webhook = state.incomingWebhooks[id];
  if (!webhook) throw new Refusal('not_found', 'There is no such webhook in this room.');
  const { name, botId, by, createdAt } = webhook;
  return { id, roomId, name, botId, owner: by, createdAt };
}
