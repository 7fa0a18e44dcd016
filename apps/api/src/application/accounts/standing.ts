import { Injectable } from '@nestjs/common';
import { type Actor, isRejection, notInUse, type Rejection, reject, shutOutSince } from '@verbatim/domain';
import { Users } from '../../write-side/entities.js';

/**
 * Whether somebody is still in. A credential that was checked at the door may have been taken away since, by an administrator at
 * another replica. What outlasts the request, such as an invitation, has to be undone then: it would stay for good.
 */
@Injectable()
export class Standing {
  constructor(private readonly users: Users) {}

  /** Has something made for somebody, and undone again if they were shut out by then. */
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

const justShutOut = reject('NotAllowed', 'This account has just been shut out.');
