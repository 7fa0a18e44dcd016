import { Command, CommandHandler, type ICommandHandler, type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import {
  type Actor,
  ERASURES,
  type ErasureState,
  type IdentifiedRule,
  type Rejection,
  type RetentionScope,
  reject,
} from '@verbatim/domain';
import type { RetentionPass } from '../../storage/desk/retention-pass.js';
import { Erasures, Rooms } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';
import { type DryRun, Retention, waitingForRules } from './retention.js';

const reasonNeeded = reject('ReasonNeeded', 'Give a reason; it is recorded.');
const noSuchRoom = reject('NotFound', 'There is no such room.');

/** Sets how long texts are kept in some rooms. */
export class SetRetentionRuleCommand extends Command<Decided<ErasureState> | Rejection> {
  constructor(
    readonly ruleId: string,
    readonly actor: Actor,
    readonly scope: RetentionScope,
    readonly days: number | null,
    readonly reason: string | undefined,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(SetRetentionRuleCommand)
export class SetRetentionRuleHandler implements ICommandHandler<SetRetentionRuleCommand> {
  constructor(
    private readonly erasures: Erasures,
    private readonly rooms: Rooms,
  ) {}

  async execute(command: SetRetentionRuleCommand): Promise<Decided<ErasureState> | Rejection> {
    const { ruleId, actor, scope, days, reason, context } = command;
    if (reason === undefined) return reasonNeeded;
    if (!(await isThere(this.rooms, scope))) return noSuchRoom;
    return this.erasures.send(ERASURES, { type: 'SetRetentionRule', actor, ruleId, scope, days, reason }, context);
  }
}

const isThere = async (rooms: Rooms, scope: RetentionScope): Promise<boolean> =>
  scope.kind !== 'room' || (await rooms.newest(scope.roomId)).state.status !== 'unborn';

/** Removes a rule; its erasures that have not begun are withdrawn. */
export class RemoveRetentionRuleCommand extends Command<Decided<ErasureState> | Rejection> {
  constructor(
    readonly ruleId: string,
    readonly actor: Actor,
    readonly reason: string | undefined,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(RemoveRetentionRuleCommand)
export class RemoveRetentionRuleHandler implements ICommandHandler<RemoveRetentionRuleCommand> {
  constructor(private readonly erasures: Erasures) {}

  async execute({ ruleId, actor, reason, context }: RemoveRetentionRuleCommand) {
    if (reason === undefined) return reasonNeeded;
    return this.erasures.send(ERASURES, { type: 'RemoveRetentionRule', actor, ruleId, reason }, context);
  }
}

/** Continues the search for expired texts. */
export class ApplyRetentionCommand extends Command<void> {}

@CommandHandler(ApplyRetentionCommand)
export class ApplyRetentionHandler implements ICommandHandler<ApplyRetentionCommand> {
  constructor(private readonly retention: Retention) {}

  execute(): Promise<void> {
    return this.retention.step();
  }
}

/** What would be erased now, by the rules in force and optionally another one. */
export class DryRunRetentionQuery extends Query<DryRun | Rejection> {
  constructor(readonly further: { readonly scope: RetentionScope; readonly days: number | null } | null) {
    super();
  }
}

@QueryHandler(DryRunRetentionQuery)
export class DryRunRetentionHandler implements IQueryHandler<DryRunRetentionQuery> {
  constructor(
    private readonly retention: Retention,
    private readonly rooms: Rooms,
  ) {}

  async execute({ further }: DryRunRetentionQuery): Promise<DryRun | Rejection> {
    if (further && !(await isThere(this.rooms, further.scope))) return noSuchRoom;
    return this.retention.dryRun(further);
  }
}

export interface KnownRetention {
  /** The rules in force, the oldest first. */
  readonly rules: readonly IdentifiedRule[];
  readonly waiting: number;
  readonly pass: RetentionPass | null;
}

/** The rules in force, and the progress of carrying them out. */
export class GetRetentionQuery extends Query<KnownRetention> {}

@QueryHandler(GetRetentionQuery)
export class GetRetentionHandler implements IQueryHandler<GetRetentionQuery> {
  constructor(
    private readonly erasures: Erasures,
    private readonly retention: Retention,
  ) {}

  async execute(): Promise<KnownRetention> {
    const { state } = await this.erasures.newest(ERASURES);
    const rules = [...state.rules.entries()].sort(([, a], [, b]) => a.setAt.localeCompare(b.setAt));
    return { rules, waiting: waitingForRules(state), pass: await this.retention.progress() };
  }
}

export const retentionHandlers = [
  SetRetentionRuleHandler,
  RemoveRetentionRuleHandler,
  ApplyRetentionHandler,
  DryRunRetentionHandler,
  GetRetentionHandler,
];
