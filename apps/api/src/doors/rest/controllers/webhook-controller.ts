import { Controller, Res } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { type Actor, governingProblem, type RoomState } from '@verbatim/domain';
import type { AnswerOf, NewWebhook, Webhook } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import type { Identity } from '../../../application/accounts/authentication.js';
import {
  AddWebhookCommand,
  ChangeWebhookCommand,
  RemoveWebhookCommand,
  rotation,
  type WebhookWishes,
} from '../../../application/webhooks/webhook-commands.js';
import { type Delivery, WebhookDeliveries } from '../../../storage/desk/webhook-deliveries.js';
import { WebhookSecrets } from '../../../storage/vault/webhook-secrets.js';
import { Receivers } from '../../../units/webhooks/receivers.js';
import { Rooms } from '../../../write-side/entities.js';
import type { Context } from '../../../write-side/mailbox.js';
import { ReadYourWrites } from '../../read-your-writes.js';
import { accepted, Refusal } from '../../refusal.js';
import { By, Call, Input, type InputOf, Trace } from '../call.js';

/** The outgoing webhooks of rooms. */
@Controller()
export class WebhookController {
  constructor(
    private readonly commands: CommandBus,
    private readonly rooms: Rooms,
    private readonly secrets: WebhookSecrets,
    private readonly deliveries: WebhookDeliveries,
    private readonly receivers: Receivers,
    private readonly readYourWrites: ReadYourWrites,
  ) {}

  @Call('addWebhook')
  async add(
    @Input('addWebhook') { params, body }: InputOf<'addWebhook'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<NewWebhook> {
    await this.governed(params.id, actor);
    this.judge(body.url);
    const added = accepted(await this.commands.execute(new AddWebhookCommand(params.id, actor, body, context)));
    await this.readYourWrites.written(added.position, reply);
    return { ...(await this.answer(params.id, added.webhookId, added.state)), secret: added.secret };
  }

  @Call('listWebhooks')
  async list(
    @Input('listWebhooks') { params }: InputOf<'listWebhooks'>,
    @By() { actor }: Identity,
  ): Promise<AnswerOf<'listWebhooks'>> {
    const state = await this.governed(params.id, actor);
    const deliveries = await this.deliveries.ofRoom(params.id);
    const items = Object.keys(state.webhooks).map((id) =>
      this.answer(params.id, id, state, deliveries.get(id) ?? null),
    );
    return { items: await Promise.all(items), page: { next: null } };
  }

  @Call('getWebhook')
  async get(@Input('getWebhook') { params }: InputOf<'getWebhook'>, @By() { actor }: Identity): Promise<Webhook> {
    return this.answer(params.id, params.webhookId, await this.governed(params.id, actor));
  }

  @Call('changeWebhook')
  async change(
    @Input('changeWebhook') { params, body }: InputOf<'changeWebhook'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Webhook> {
    await this.governed(params.id, actor);
    if (body.url !== undefined) this.judge(body.url);
    const state = await this.revise(params, actor, body, context, reply);
    return this.answer(params.id, params.webhookId, state);
  }

  @Call('removeWebhook')
  async remove(
    @Input('removeWebhook') { params }: InputOf<'removeWebhook'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const ended = await this.commands.execute(new RemoveWebhookCommand(params.id, params.webhookId, actor, context));
    await this.readYourWrites.written(accepted(ended).position, reply);
  }

  @Call('rotateWebhookSecret')
  async rotate(
    @Input('rotateWebhookSecret') { params }: InputOf<'rotateWebhookSecret'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AnswerOf<'rotateWebhookSecret'>> {
    const { secret } = rotation();
    await this.revise(params, actor, { secret }, context, reply);
    return { secret };
  }

  private async revise(
    { id, webhookId }: { readonly id: string; readonly webhookId: string },
    actor: Actor,
    wishes: WebhookWishes,
    context: Context,
    reply: FastifyReply,
  ): Promise<RoomState> {
    const revised = accepted(
      await this.commands.execute(new ChangeWebhookCommand(id, webhookId, actor, wishes, context)),
    );
    await this.readYourWrites.written(revised.position, reply);
    return revised.state;
  }

  /** The room, if this person may have webhooks there. */
  private async governed(roomId: string, actor: Actor): Promise<RoomState> {
    const { state } = await this.rooms.newest(roomId);
    const refused = actor.role === 'auditor' ? null : governingProblem(state, actor);
    if (refused) throw Refusal.of(refused);
    return state;
  }

  private judge(url: string): void {
    const message = this.receivers.problemOf(url);
    if (!message) return;
    throw new Refusal('invalid_request', 'Events are not sent to this address.', {
      errors: [{ path: 'body.url', message }],
    });
  }

  private async answer(roomId: string, id: string, state: RoomState, delivery?: Delivery | null): Promise<Webhook> {
    const webhook = state.webhooks[id];
    if (!webhook) throw new Refusal('not_found', 'There is no such webhook in this room.');
    const url = await this.secrets.read(roomId, webhook.urlId);
    const known = delivery === undefined ? await this.deliveries.read(id) : delivery;
    const through = Math.max(Number(known?.through ?? -1), webhook.since);
    return {
      id,
      roomId,
      url: url && withoutSecrets(url),
      events: [...webhook.events],
      active: webhook.stopped === null,
      stopped: webhook.stopped,
      owner: webhook.by,
      createdAt: webhook.createdAt,
      deliveries: {
        lastSuccessAt: known?.lastSuccessAt?.toISOString() ?? null,
        lastAttemptAt: known?.lastAttemptAt?.toISOString() ?? null,
        lastStatus: known?.lastStatus ?? null,
        lastError: known?.lastError ?? null,
        behind: Math.max(0, Number(state.revision) - through),
        nextAttemptAt: known?.nextAttemptAt?.toISOString() ?? null,
      },
    };
  }
}

function withoutSecrets(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
