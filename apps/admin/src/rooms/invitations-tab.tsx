import type { Invitation, Room } from '@verbatim/protocol';
import {
  ListContextProvider,
  Pagination,
  ResourceContextProvider,
  useListController,
  useRecordContext,
} from 'react-admin';
import { InvitationTable } from '../invitations/invitation-table';
import { Invite } from '../invitations/invite';
import { liveList } from '../service/queries';

/** The invitations to this room. */
export function InvitationsTab() {
  const room = useRecordContext<Room>();
  return room ? <Invitations key={room.id} room={room} /> : null;
}

function Invitations({ room }: { room: Room }) {
  const list = useListController<Invitation>({
    resource: 'invitations',
    filter: { roomId: room.id },
    perPage: 25,
    exporter: false,
    disableSyncWithLocation: true,
    storeKey: false,
    queryOptions: liveList,
  });
  return (
    <ResourceContextProvider value="invitations">
      <ListContextProvider value={list}>
        {room.status === 'open' && <Invite room={room} />}
        <InvitationTable />
        <Pagination />
      </ListContextProvider>
    </ResourceContextProvider>
  );
}
