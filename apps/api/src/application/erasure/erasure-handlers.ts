import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  type Actor,
  ERASURES,
  type ErasureGround,
  type ErasureScope,
  type ErasureState,
  type HoldScope,
  isRejection,
  type Rejection,
  reject,
} from '@verbatim/domain';
import { message } from '@verbatim/projections';
import { Time } from '../../clock.js';
import { ReadModels } from '../../storage/read-models.js';
import { Erasures, Rooms, Users } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';
import { Eraser } from './eraser.js';

/** What a client names: the parts of the scope that it gave. */
export interface NamedScope {
  readonly person?: string;
  readonly room?: string;
  readonly message?: string;
  readonly from?: string;
  readonly to?: string;
}

/** Requests an erasure. It begins at once unless a hold forbids it. */
export class RequestErasureCommand extends Command<Decided<ErasureState> | Rejection> {
  constructor(
    readonly erasureId: string,
    readonly actor: Actor,
    readonly named: NamedScope,
    readonly ground: ErasureGround,
    readonly reason: string | undefined,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(RequestErasureCommand)
export class RequestErasureHandler implements ICommandHandler<RequestErasureCommand> {
  constructor(
    private readonly erasures: Erasures,
    private readonly rooms: Rooms,
    private readonly users: Users,
    private readonly readModels: ReadModels,
    private readonly time: Time,
    private readonly eraser: Eraser,
  ) {}

  async execute(command: RequestErasureCommand): Promise<Decided<ErasureState> | Rejection> {
    const { erasureId, actor, named, ground, reason, context } = command;
    if (reason === undefined) return reasonNeeded;
    const scope = await this.scopeOf(named);
    if (isRejection(scope)) return scope;
    const request = { type: 'RequestErasure', actor, erasureId, scope, ground, reason } as const;
    const requested = await this.erasures.send(ERASURES, request, context);
    if (!isRejection(requested)) this.eraser.wake();
    return requested;
  }

  private async scopeOf({ person, room, message: id, from, to }: NamedScope): Promise<ErasureScope | Rejection> {
    if (person !== undefined) {
      const { state } = await this.users.newest(person);
      if (state.status === 'unborn') return reject('NotFound', 'There is no such user.');
      if (state.role === 'admin') return reject('Conflict', 'Take the role of administrator away from them first.');
      return { kind: 'person', userId: person };
    }
    const roomId = room ?? '';
    const { state } = await this.rooms.newest(roomId);
    if (state.status === 'unborn') return reject('NotFound', 'There is no such room.');
    if (id !== undefined) {
      const found = await message(this.readModels.db, roomId, id, '');
      if (!found) return reject('NotFound', 'There is no such message in this room.');
      const { author, postedAt } = found;
      return { kind: 'message', roomId, messageId: id, authorId: author.id, day: postedAt.slice(0, 10) };
    }
    if (from === undefined || to === undefined)
      return state.visibility === 'direct' ? staysOpen : { kind: 'room', roomId };
    // Every process still uses the keys of today.
    if (to >= this.time.now().toISOString().slice(0, 10)) return reject('Invalid', 'The last day must be over (UTC).');
    return { kind: 'days', roomId, from, to };
  }
}

const staysOpen = reject('Conflict', 'A direct room cannot be closed. Erase days of it, or messages.');
const reasonNeeded = reject('ReasonNeeded', 'Give a reason; it is recorded.');

/** Forbids an erasure until the hold is lifted. */
export class PlaceHoldCommand extends Command<Decided<ErasureState> | Rejection> {
  constructor(
    readonly holdId: string,
    readonly actor: Actor,
    readonly scope: HoldScope,
    readonly reason: string | undefined,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(PlaceHoldCommand)
export class PlaceHoldHandler implements ICommandHandler<PlaceHoldCommand> {
  constructor(
    private readonly erasures: Erasures,
    private readonly rooms: Rooms,
    private readonly users: Users,
  ) {}

  async execute(command: PlaceHoldCommand): Promise<Decided<ErasureState> | Rejection> {
    const { holdId, actor, scope, reason, context } = command;
    if (reason === undefined) return reasonNeeded;
    const { state } = await (scope.kind === 'person'
      ? this.users.newest(scope.userId)
      : this.rooms.newest(scope.roomId));
    if (state.status === 'unborn')
      return reject('NotFound', `There is no such ${scope.kind === 'person' ? 'user' : 'room'}.`);
    return this.erasures.send(ERASURES, { type: 'PlaceHold', actor, holdId, scope, reason }, context);
  }
}

/** Lifts a hold; the erasures that waited for it continue. */
export class LiftHoldCommand extends Command<Decided<ErasureState> | Rejection> {
  constructor(
    readonly holdId: string,
    readonly actor: Actor,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(LiftHoldCommand)
export class LiftHoldHandler implements ICommandHandler<LiftHoldCommand> {
  constructor(
    private readonly erasures: Erasures,
    private readonly eraser: Eraser,
  ) {}

  async execute({ holdId, actor, context }: LiftHoldCommand): Promise<Decided<ErasureState> | Rejection> {
    const lifted = await this.erasures.send(ERASURES, { type: 'LiftHold', actor, holdId }, context);
    if (!isRejection(lifted)) this.eraser.wake();
    return lifted;
  }
}

export const erasureHandlers = [RequestErasureHandler, PlaceHoldHandler, LiftHoldHandler];
