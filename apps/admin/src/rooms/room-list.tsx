import { type Theme, useMediaQuery } from '@mui/material';
import type { Room } from '@verbatim/protocol';
import {
  ColumnsButton,
  CreateButton,
  DataTable,
  DateField,
  FilterButton,
  List,
  NumberField,
  SelectInput,
  TopToolbar,
  useCanAccess,
} from 'react-admin';
import { NarrowList } from '../look/narrow-list';
import { Search } from '../look/search';
import { Still } from '../look/still';
import { LOOK_AGAIN } from '../service/look-again';
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
      queryOptions={{ refetchInterval: LOOK_AGAIN }}
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
            rowClick="show"
            bulkActionButtons={mayChange ? <BulkClose /> : false}
            isRowSelectable={mayBeClosed}
            hiddenColumns={['createdAt']}
          >
            <Column source="name" render={nameOfRoom} />
            <Column source="visibility" disableSort render={(room) => <VisibilityOf room={room} />} />
            <Column source="status" disableSort render={(room) => <StatusOf room={room} />} />
            <NumberColumn source="memberCount" />
            <NumberColumn source="messageCount" disableSort field={NumberField} />
            <Column source="activeAt">
              <DateField source="activeAt" showTime />
            </Column>
            <Column source="createdAt">
              <DateField source="createdAt" showTime />
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
