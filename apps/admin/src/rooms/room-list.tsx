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
  SimpleList,
  TopToolbar,
  useCanAccess,
} from 'react-admin';
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
          <SimpleList<Room>
            primaryText={nameOfRoom}
            secondaryText={(room) => room.topic}
            tertiaryText={(room) => <StatusOf room={room} />}
            rowClick="show"
            sx={{ '& .RaSimpleList-tertiary': { opacity: 1 } }}
          />
        ) : (
          <DataTable<Room>
            rowClick="show"
            bulkActionButtons={mayChange ? <BulkClose /> : false}
            isRowSelectable={({ status, visibility }) => status === 'open' && visibility !== 'direct'}
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

function Actions({ narrow }: { narrow: boolean }) {
  return (
    <TopToolbar>
      <FilterButton />
      <CreateButton />
      {!narrow && <ColumnsButton />}
    </TopToolbar>
  );
}
