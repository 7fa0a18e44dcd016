import { Controller, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { HoldScope } from '@verbatim/domain';
import type { Erasure } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import {
  GetErasureQuery,
  LiftHoldCommand,
  type NamedScope,
  PlaceHoldCommand,
  RequestErasureCommand,
} from '../../../application/erasure/erasure-handlers.js';
import type { Identity } from '../../../application/sessions/authentication.js';
import type { Context } from '../../../write-side/mailbox.js';
import { ReadYourWrites } from '../../read-your-writes.js';
import { accepted } from '../../refusal.js';
import { By, Call, Input, type InputOf, NewId, Trace } from '../call.js';

/** Erasures and legal holds. */
@Controller()
export class ErasureController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readYourWrites: ReadYourWrites,
  ) {}

  @Call('requestErasure')
  async request(
    @Input('requestErasure') { body }: InputOf<'requestErasure'>,
    @By() { actor }: Identity,
    @NewId() id: string,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ id: string }> {
    const { ground, reason, ...named } = body;
    const request = new RequestErasureCommand(id, actor, named, ground, reason, context);
    const { position } = accepted(await this.commands.execute(request));
    await this.readYourWrites.written(position, reply);
    return { id };
  }

  @Call('getErasure')
  async get(@Input('getErasure') { params }: InputOf<'getErasure'>): Promise<Erasure> {
    const { id, status, keys, problem, certificate } = accepted(
      await this.queries.execute(new GetErasureQuery(params.id)),
    );
    return { id, status, keys, problem, certificate };
  }

  @Call('placeHold')
  async hold(
    @Input('placeHold') { body }: InputOf<'placeHold'>,
    @By() { actor }: Identity,
    @NewId() id: string,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ id: string }> {
    const { reason, ...named } = body;
    const hold = new PlaceHoldCommand(id, actor, holdScope(named), reason, context);
    const { position } = accepted(await this.commands.execute(hold));
    await this.readYourWrites.written(position, reply);
    return { id };
  }

  @Call('liftHold')
  async lift(
    @Input('liftHold') { params }: InputOf<'liftHold'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { position } = accepted(await this.commands.execute(new LiftHoldCommand(params.id, actor, context)));
    await this.readYourWrites.written(position, reply);
  }
}

function holdScope({ person, room = '', from, to }: NamedScope): HoldScope {
  if (person !== undefined) return { kind: 'person', userId: person };
  return from === undefined || to === undefined
    ? { kind: 'room', roomId: room }
    : { kind: 'days', roomId: room, from, to };
}
