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
 * Redeems invitation codes. The use is recorded in the invitation's own stream first; the account or membership follows.
 * Redeeming again for the same person uses nothing up, so an attempt that failed in between can be repeated.
 */
@Injectable()
export class Redeeming {
  constructor(
    private readonly codes: InvitationCodes,
    private readonly invitations: Invitations,
    private readonly time: Time,
  ) {}

  /** The invitation with this code, if it is to this room, or to the server (null). It may have become invalid. */
  async find(code: string, roomId: string | null): Promise<FoundInvitation | null> {
    const found = await this.lookUp(code);
    if (!found) return null;
    const { to } = found.state;
    return (to.kind === 'room' ? to.roomId : null) === roomId ? found : null;
  }

  /** The invitation with this code, to any room or the server. */
  async lookUp(code: string): Promise<FoundInvitation | null> {
    const id = await this.codes.find(code);
    if (id === null) return null;
    const { state } = await this.invitations.newest(id);
    return state.status === 'unborn' ? null : { id, state };
  }

  /** Uses an invitation for this person; idempotent. */
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
