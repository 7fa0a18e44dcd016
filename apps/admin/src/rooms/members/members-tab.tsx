import type { Room } from '@verbatim/protocol';
import {
  DataTable,
  ListContextProvider,
  Pagination,
  ResourceContextProvider,
  useCanAccess,
  useListController,
  useRecordContext,
} from 'react-admin';
import { Moment, MomentField } from '../../look/moment';
import { RowLink } from '../../look/row-link';
import { liveList } from '../../service/queries';
import { nameOf } from '../../users/name-of';
import { AddMember } from './add-member';
import { Bans } from './bans';
import { isMuted, MemberMenu } from './member-menu';
import type { MemberRecord } from './members-source';
import { RemoveMember } from './remove-member';
import { RoleOfMember } from './role-of-member';

const Column = DataTable.Col<MemberRecord>;

/** The members of the room, in order of joining, and banned people. */
export function MembersTab() {
  const room = useRecordContext<Room>();
  return room ? <Members key={room.id} room={room} /> : null;
}

function Members({ room }: { room: Room }) {
  const list = useListController<MemberRecord>({
    resource: 'members',
    filter: { roomId: room.id },
    sort: { field: 'joinedAt', order: 'ASC' },
    perPage: 25,
    exporter: false,
    disableSyncWithLocation: true,
    storeKey: false,
    queryOptions: liveList,
  });
  const { canAccess } = useCanAccess({ resource: 'members', action: 'edit' });
  const mayChange = canAccess === true && room.visibility !== 'direct';
  return (
    <>
      <ResourceContextProvider value="members">
        <ListContextProvider value={list}>
          {mayChange && room.status === 'open' && <AddMember room={room} />}
          <MemberTable room={room} mayChange={mayChange} />
          <Pagination />
        </ListContextProvider>
      </ResourceContextProvider>
      {room.visibility !== 'direct' && <Bans room={room} mayChange={mayChange && room.status === 'open'} />}
    </>
  );
}

function MemberTable({ room, mayChange }: { room: Room; mayChange: boolean }) {
  return (
    <DataTable<MemberRecord> bulkActionButtons={false} rowClick={false}>
      <Column
        source="username"
        disableSort
        render={({ userId, username }) => <RowLink to={`/users/${userId}/show`}>{username}</RowLink>}
      />
      <Column source="displayName" disableSort render={(member) => <bdi>{nameOf(member)}</bdi>} />
      <Column
        source="role"
        disableSort
        render={(member) => <RoleOfMember member={member} mayChange={mayChange && room.status === 'open'} />}
      />
      <Column source="joinedAt" disableSort>
        <MomentField source="joinedAt" />
      </Column>
      <Column
        source="mutedUntil"
        disableSort
        render={(member) => (member.mutedUntil && isMuted(member) ? <Moment at={member.mutedUntil} /> : '–')}
      />
      {mayChange && (
        <Column
          label={false}
          render={(member) => (
            <>
              <RemoveMember member={member} />
              {room.status === 'open' && <MemberMenu room={room} member={member} />}
            </>
          )}
        />
      )}
    </DataTable>
  );
}
