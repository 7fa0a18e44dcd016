import type { CommandBus, QueryBus } from '@nestjs/cqrs';
import { type Actor, isRejection, nameKey, type Rejection, type RoomState, reject } from '@verbatim/domain';
import { GetAccountQuery } from '../../application/accounts/account-queries.js';
import { AdmitGuestCommand } from '../../application/guests/admit-guest.js';
import { ApplyToRoomCommand } from '../../application/rooms/room-commands.js';
import type { Decided } from '../../write-side/mailbox.js';
import { DOOR, newContext } from './context.js';
import type { Holder } from './room-tokens.js';
import type { Ending, Seats } from './seats.js';

/** A person in a room at this door, or about to enter it. */
export interface Visitor extends Holder {
  readonly actor: Actor;
  readonly username: string;
  readonly verified: boolean;
}

/** Admits people, and keeps guests as members only while they are present or hold a token. */
export class Visitors {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly seats: Seats,
  ) {}

  /** Admits a guest with only a name. */
  async admit(name: string, address: string): Promise<Visitor | Rejection> {
    if (nameKey(name) === DOOR) return nameOfDoor;
    const guest = await this.commands.execute(new AdmitGuestCommand(name, { address }, newContext()));
    if (isRejection(guest)) return guest;
    const { userId, displayName, sessionId, actor, username } = guest;
    return { userId, name: displayName, sessionId, actor, username, verified: false };
  }

  /** The holder of a token. */
  async known(holder: Holder): Promise<Visitor> {
    const { username, role, guest, bot } = await this.queries.execute(new GetAccountQuery(holder.userId));
    return { ...holder, username, actor: { id: holder.userId, role }, verified: !guest && !bot };
  }

  /** Makes a person a member; `passwordId` is that of the password they gave. Existing members keep their role. */
  join(roomId: string, { actor }: Visitor, passwordId?: string): Promise<Decided<RoomState> | Rejection> {
    const join = { type: 'JoinRoom', actor, ...(passwordId && { provenPasswordId: passwordId }) } as const;
    return this.commands.execute(new ApplyToRoomCommand(roomId, join, newContext()));
  }

  /** A person has left for good: a guest without a rank in the room stops being a member. */
  async settle(ending: Ending): Promise<void> {
    if (ending.leaves && !(await this.leave(ending))) return;
    await this.seats.free(ending);
  }

  /** False if the outcome is unknown, so that it is retried later. */
  private async leave({ roomId, userId }: Ending): Promise<boolean> {
    const { guest } = await this.queries.execute(new GetAccountQuery(userId));
    if (!guest) return true;
    const actor = { id: userId, role: 'user' } as const;
    const leave = { type: 'RemoveMember', actor, userId, reason: null } as const;
    const left = await this.commands.execute(new ApplyToRoomCommand(roomId, leave, newContext()));
    return !isRejection(left) || (left.rejected !== 'Unavailable' && left.rejected !== 'Maintenance');
  }
}

const nameOfDoor = reject('NameTaken', 'Notices of the service come under this name.');
