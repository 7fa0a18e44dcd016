import { TableCell, TableRow } from '@mui/material';
import type { User } from '@verbatim/protocol';
import { Link, useRecordContext, useTranslate } from 'react-admin';
import { Failure } from '../../look/failure';
import { PlainTable } from '../../look/plain-table';
import { nameOfRoom } from '../../rooms/name-of-room';
import { StatusOf, VisibilityOf } from '../../rooms/room-fields';
import { client } from '../../service/client';
import { useMoment } from '../../words/region';
import { MoreButton } from './more-button';
import { usePages } from './use-pages';

/** The rooms the person is in, those with the latest messages first. */
export function RoomsTab() {
  const user = useRecordContext<User>();
  return user ? <Rooms key={user.id} id={user.id} /> : null;
}

function Rooms({ id }: { id: string }) {
  const translate = useTranslate();
  const moment = useMoment();
  const { items, error, more } = usePages(['rooms of', id], (cursor) =>
    client.call('listRoomsOf', { params: { id }, query: { limit: 50, cursor } }),
  );
  if (error) return <Failure error={error} />;
  if (!items) return null;
  const columns = ['name', 'visibility', 'status'].map((field) => translate(`resources.rooms.fields.${field}`));
  const membership = ['role', 'joinedAt'].map((field) => translate(`resources.members.fields.${field}`));
  return (
    <>
      <PlainTable
        label={translate('verbatim.person.rooms')}
        columns={[...columns, ...membership]}
        empty={translate('verbatim.person.no_rooms')}
      >
        {items.map(({ room, role, joinedAt }) => (
          <TableRow key={room.id}>
            <TableCell>
              <Link to={`/rooms/${room.id}/show`}>{nameOfRoom(room)}</Link>
            </TableCell>
            <TableCell>
              <VisibilityOf room={room} />
            </TableCell>
            <TableCell>
              <StatusOf room={room} />
            </TableCell>
            <TableCell>{translate(`verbatim.room_role.${role}`)}</TableCell>
            <TableCell>{moment(joinedAt)}</TableCell>
          </TableRow>
        ))}
      </PlainTable>
      <MoreButton more={more} />
    </>
  );
}
