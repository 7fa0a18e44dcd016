import type { Member } from '@verbatim/protocol';
import type { Source } from '../../service/source';
import { why } from '../reasons';

/** A member as a record: the id names room and person, `room/user`. */
export interface MemberRecord extends Member {
  readonly id: string;
  readonly roomId: string;
}

const record = (roomId: string, member: Member): MemberRecord => ({
  ...member,
  roomId,
  id: `${roomId}/${member.userId}`,
});

const placeOf = (id: string) => {
  const [room = '', user = ''] = id.split('/');
  return { id: room, userId: user };
};

/** The members of one room: the filter `roomId` is needed. */
export const memberSource: Source<MemberRecord> = {
  async list(client, { filter: { roomId = '' }, limit, cursor }) {
    const { items, page } = await client.call(
      'listMembers',
      { params: { id: roomId }, query: { limit, cursor } },
      { ...why(roomId) },
    );
    return { items: items.map((member) => record(roomId, member)), page };
  },
  async create(client, { roomId = '', userId, role }) {
    return record(roomId, await client.call('addMember', { params: { id: roomId }, body: { userId, role } }));
  },
  async change(client, id, { role = 'member' }) {
    const params = placeOf(id);
    return record(params.id, await client.call('changeMember', { params, body: { role } }));
  },
  async remove(client, id) {
    await client.call('removeMember', { params: placeOf(id) });
  },
};
