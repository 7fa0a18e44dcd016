import type { Invitation } from '@verbatim/protocol';
import type { Source } from '../service/source';

/** Invitations to the server or, with the filter `roomId`, to a room; the latest first. */
export const invitationSource: Source<Invitation> = {
  list(client, { filter: { roomId }, limit, cursor }) {
    const query = { limit, cursor };
    return roomId
      ? client.call('listRoomInvitations', { params: { id: roomId }, query })
      : client.call('listInvitations', { query });
  },
};
