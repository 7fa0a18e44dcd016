import { Injectable } from '@nestjs/common';
import { type Actor, isRejection, notInUse, type Rejection, reject, shutOutSince } from '@verbatim/domain';
import { Users } from '../../write-side/entities.js';

/**
 * Whether a user still has access. An administrator at another replica may have revoked it since the credential was
 * checked. Things that outlast the request, such as an invitation, must then be undone.
 */
@Injectable()
export class Standing {
  constructor(private readonly users: Users) {}

  /** Creates something for a user, and undoes it if they lost access meanwhile. */
  async whileIn<T extends object>(
    { id }: Pick<Actor, 'id'>,
    make: () => Promise<T | Rejection>,
    undo: (made: T) => Promise<unknown>,
  ): Promise<T | Rejection> {
    const before = await this.users.newest(id);
    const refused = notInUse(before.state);
    if (refused) return refused;
    const made = await make();
    if (isRejection(made)) return made;
    const { state } = await this.users.newest(id);
    if (!shutOutSince(state, before.revision)) return made;
    await undo(made);
    return justShutOut;
  }
}

const justShutOut = reject('NotAllowed', 'This account has just lost access.');
