import { type Theme, useMediaQuery } from '@mui/material';
import type { Room } from '@verbatim/protocol';
import {
  ColumnsButton,
  CreateButton,
  DataTable,
  FilterButton,
  List,
  NumberField,
  SelectInput,
  TopToolbar,
  useCanAccess,
} from 'react-admin';
import { MomentField } from '../look/moment';
import { NarrowList } from '../look/narrow-list';
import { RowLink } from '../look/row-link';
import { Search } from '../look/search';
import { Still } from '../look/still';
import { liveList } from '../service/queries';
import { BulkClose } from './bulk-close';
import { nameOfRoom } from './name-of-room';
import { StatusOf, statusChoices, VisibilityOf, visibilityFilters } from './room-fields';

const filters = [
  <Search key="q" source="q" alwaysOn label="resources.rooms.fields.q" />,
  <SelectInput key="status" source="status" choices={statusChoices} />,
  <SelectInput key="visibility" source="visibility" choices={visibilityFilters} />,
];

const Column = DataTable.Col<Room>;
const NumberColumn = DataTable.NumberCol<Room>;

export default function RoomList() {
  const narrow = useMediaQuery((theme: Theme) => theme.breakpoints.down('sm'));
  const { canAccess: mayChange } = useCanAccess({ resource: 'rooms', action: 'edit' });
  return (
    <List
      filters={filters}
      actions={<Actions narrow={narrow} />}
      sort={{ field: 'activeAt', order: 'DESC' }}
      perPage={25}
      exporter={false}
      queryOptions={liveList}
    >
      <Still>
        {narrow ? (
          <NarrowList<Room>
            name={nameOfRoom}
            more={({ topic }) => topic}
            standing={(room) => <StatusOf room={room} />}
            bulk={mayChange ? <BulkClose /> : false}
            isSelectable={mayBeClosed}
          />
        ) : (
          <DataTable<Room>
            rowClick={false}
            bulkActionButtons={mayChange ? <BulkClose /> : false}
            isRowSelectable={mayBeClosed}
            hiddenColumns={['createdAt']}
          >
            <Column
              source="name"
              render={(room) => <RowLink to={`/rooms/${room.id}/show`}>{nameOfRoom(room)}</RowLink>}
            />
            <Column source="visibility" disableSort render={(room) => <VisibilityOf room={room} />} />
            <Column source="status" disableSort render={(room) => <StatusOf room={room} />} />
            <NumberColumn source="memberCount" />
            <NumberColumn source="messageCount" disableSort field={NumberField} />
            <Column source="activeAt">
              <MomentField source="activeAt" />
            </Column>
            <Column source="createdAt">
              <MomentField source="createdAt" />
            </Column>
          </DataTable>
        )}
      </Still>
    </List>
  );
}

const mayBeClosed = ({ status, visibility }: Room): boolean => status === 'open' && visibility !== 'direct';

function Actions({ narrow }: { narrow: boolean }) {
  return (
    <TopToolbar>
      <FilterButton />
      <CreateButton />
      {!narrow && <ColumnsButton />}
    </TopToolbar>
  );
}
