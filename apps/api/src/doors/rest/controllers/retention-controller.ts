import { Controller, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { RetentionScope, Visibility } from '@verbatim/domain';
import type { Retention, RetentionDryRun } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import {
  DryRunRetentionQuery,
  GetRetentionQuery,
  RemoveRetentionRuleCommand,
  SetRetentionRuleCommand,
} from '../../../application/retention/retention-handlers.js';
import type { Identity } from '../../../application/sessions/authentication.js';
import type { Context } from '../../../write-side/mailbox.js';
import { ReadYourWrites } from '../../read-your-writes.js';
import { accepted } from '../../refusal.js';
import { By, Call, Input, type InputOf, NewId, Trace } from '../call.js';

/** How long texts are kept. */
@Controller()
export class RetentionController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readYourWrites: ReadYourWrites,
  ) {}

  @Call('getRetention')
  async get(): Promise<Retention> {
    const { rules, waiting, pass } = await this.queries.execute(new GetRetentionQuery());
    return {
      rules: rules.map(([id, { scope, days, by, setAt }]) => ({
        ...{ id, days, by, setAt },
        room: scope.kind === 'room' ? scope.roomId : null,
        visibility: scope.kind === 'visibility' ? scope.visibility : null,
      })),
      waiting,
      pass: pass && {
        ...{ day: pass.day, looked: pass.looked, requested: pass.requested, held: pass.held },
        complete: pass.cursor === null,
      },
    };
  }

  @Call('setRetentionRule')
  async set(
    @Input('setRetentionRule') { body }: InputOf<'setRetentionRule'>,
    @By() { actor }: Identity,
    @NewId() id: string,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ id: string }> {
    const rule = new SetRetentionRuleCommand(id, actor, scopeOf(body), body.days, body.reason, context);
    const { position } = accepted(await this.commands.execute(rule));
    await this.readYourWrites.written(position, reply);
    return { id };
  }

  @Call('dryRunRetention')
  async dryRun(@Input('dryRunRetention') { query }: InputOf<'dryRunRetention'>): Promise<RetentionDryRun> {
    const further = query.days === undefined ? null : { scope: scopeOf(query), days: query.days };
    return accepted(await this.queries.execute(new DryRunRetentionQuery(further)));
  }

  @Call('removeRetentionRule')
  async remove(
    @Input('removeRetentionRule') { params, body }: InputOf<'removeRetentionRule'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const removal = new RemoveRetentionRuleCommand(params.id, actor, body.reason, context);
    const { position } = accepted(await this.commands.execute(removal));
    await this.readYourWrites.written(position, reply);
  }
}

function scopeOf({ room, visibility }: { readonly room?: string; readonly visibility?: Visibility }): RetentionScope {
  if (room !== undefined) return { kind: 'room', roomId: room };
  return visibility === undefined ? { kind: 'server' } : { kind: 'visibility', visibility };
}
