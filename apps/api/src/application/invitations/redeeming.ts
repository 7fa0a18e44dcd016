import { Injectable } from '@nestjs/common';
import type { Actor, InvitationState, Rejection } from '@verbatim/domain';
import { Time } from '../../clock.js';
import { InvitationCodes } from '../../storage/invitations/invitation-codes.js';
import { Invitations } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';

export interface FoundInvitation {
  readonly id: string;
  readonly state: InvitationState;
}

/**
 * Turns codes into the right to come in. An invitation is used up in its own stream first, and the account or the
 * membership follows. Whoever was let in is let in again, so an attempt that was cut short in between is repeated.
 */
@Injectable()
export class Redeeming {
  constructor(
    private readonly codes: InvitationCodes,
    private readonly invitations: Invitations,
    private readonly time: Time,
  ) {}

  /** The invitation with this code, if it is for this room, or for the server (null). It need not be good any more. */
  async find(code: string, roomId: string | null): Promise<FoundInvitation | null> {
    const found = await this.lookUp(code);
    if (!found) return null;
    const { to } = found.state;
    return (to.kind === 'room' ? to.roomId : null) === roomId ? found : null;
  }

  /** The invitation with this code, whatever it is for. */
  async lookUp(code: string): Promise<FoundInvitation | null> {
    const id = await this.codes.find(code);
    if (id === null) return null;
    const { state } = await this.invitations.newest(id);
    return state.status === 'unborn' ? null : { id, state };
  }

  /** Uses it up once for this person. */
  redeem(
    id: string,
    userId: string,
    actor: Actor | null,
    context: Context,
  ): Promise<Decided<InvitationState> | Rejection> {
    return this.invitations.send(id, { type: 'RedeemInvitation', actor, userId, now: this.now() }, context);
  }

  now(): string {
    return this.time.now().toISOString();
  }
}
