import { type Theme, useMediaQuery } from '@mui/material';
import type { User } from '@verbatim/protocol';
import {
  DataTable,
  DateField,
  FilterButton,
  List,
  SelectColumnsButton,
  SelectInput,
  SimpleList,
  TopToolbar,
  useCanAccess,
} from 'react-admin';
import { Search } from '../look/search';
import { BulkStanding } from './bulk-standing';
import { nameOf } from './name-of';
import { RoleOf, roleChoices, StatusOf, statusChoices } from './user-fields';

const filters = [
  <Search key="q" source="q" alwaysOn label="resources.users.fields.q" />,
  <SelectInput key="role" source="role" choices={roleChoices} />,
  <SelectInput key="status" source="status" choices={statusChoices} />,
];

/** How often lists look for what others have changed, in milliseconds. */
export const LOOK_AGAIN = 10_000;

const Column = DataTable.Col<User>;

export function UserList() {
  const narrow = useMediaQuery((theme: Theme) => theme.breakpoints.down('sm'));
  const { canAccess: mayChange } = useCanAccess({ resource: 'users', action: 'edit' });
  return (
    <List
      filters={filters}
      actions={<Actions narrow={narrow} />}
      sort={{ field: 'username', order: 'ASC' }}
      perPage={25}
      exporter={false}
      queryOptions={{ refetchInterval: LOOK_AGAIN }}
    >
      {narrow ? (
        <SimpleList<User>
          primaryText={nameOf}
          secondaryText={(user) => user.username}
          tertiaryText={(user) => <StatusOf user={user} />}
          rowClick="show"
          sx={{ '& .RaSimpleList-tertiary': { opacity: 1 } }}
        />
      ) : (
        <DataTable<User> rowClick="show" bulkActionButtons={mayChange ? <BulkStanding /> : false}>
          <Column source="username" />
          <Column source="displayName" disableSort render={nameOf} />
          <Column source="role" disableSort render={(user) => <RoleOf user={user} />} />
          <Column source="suspended" disableSort render={(user) => <StatusOf user={user} />} />
          <Column source="createdAt">
            <DateField source="createdAt" showTime />
          </Column>
        </DataTable>
      )}
    </List>
  );
}

function Actions({ narrow }: { narrow: boolean }) {
  return (
    <TopToolbar>
      <FilterButton />
      {!narrow && <SelectColumnsButton />}
    </TopToolbar>
  );
}
