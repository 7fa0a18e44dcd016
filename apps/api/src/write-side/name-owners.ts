import { holdsName, isRejection, nameKey, type Rejection } from '@verbatim/domain';
import { Refusal } from '../doors/refusal.js';
import { newId } from '../new-id.js';
import type { NameKind, NameOwners } from '../storage/vault/names.js';
import type { Rooms, Users } from './entities.js';

/** Asks the streams of users and rooms whether they have, or may still take, the names they have claimed. */
export class StreamNameOwners implements NameOwners {
  constructor(
    private readonly users: Users,
    private readonly rooms: Rooms,
  ) {}

  stands(kind: NameKind, owner: string, key: string, claim: string, stale: boolean): Promise<boolean> {
    return kind === 'user' ? this.userStands(owner, stale) : this.roomStands(owner, key, claim, stale);
  }

  private async userStands(userId: string, stale: boolean): Promise<boolean> {
    const { state } = await this.users.newest(userId);
    if (state.status === 'abandoned') return false;
    if (state.status !== 'unborn' || !stale) return true;
    const abandoned = await this.users.send(userId, { type: 'AbandonUser', actor: null }, context());
    return isRejection(abandoned) && existsAfterAll(abandoned);
  }

  private async roomStands(roomId: string, key: string, claim: string, stale: boolean): Promise<boolean> {
    const { state } = await this.rooms.newest(roomId);
    const has = (name: string | null) => nameKey(name ?? '') === key;
    if (state.status === 'abandoned' || state.status === 'closed') return false;
    if ((holdsName(state) && has(state.name)) || !stale) return true;
    const actor = serviceActor;
    if (state.status === 'unborn') {
      const abandoned = await this.rooms.send(roomId, { type: 'AbandonRoom', actor }, context());
      return isRejection(abandoned) && existsAfterAll(abandoned);
    }
    const abandoned = await this.rooms.send(roomId, { type: 'AbandonRoomName', actor, claim }, context());
    if (isRejection(abandoned)) throw Refusal.of(abandoned);
    return holdsName(abandoned.state) && has(abandoned.state.name);
  }
}

/** Anything but a plain yes means that nothing is known, so the name cannot be given away. */
function existsAfterAll(rejection: Rejection): boolean {
  if (rejection.rejected !== 'Conflict') throw Refusal.of(rejection);
  return true;
}

const serviceActor = { id: '00000000-0000-0000-0000-000000000000', role: 'admin' } as const;
const context = () => ({ correlation: newId() });
