import ImportIcon from '@mui/icons-material/Upload';
import { type Theme, useMediaQuery } from '@mui/material';
import type { User } from '@verbatim/protocol';
import {
  BooleanField,
  Button,
  ColumnsButton,
  CreateButton,
  DataTable,
  DateField,
  DateInput,
  FilterButton,
  Link,
  List,
  SelectInput,
  TopToolbar,
  useCanAccess,
} from 'react-admin';
import { NarrowList } from '../look/narrow-list';
import { Search } from '../look/search';
import { LOOK_AGAIN } from '../service/look-again';
import { BulkActs } from './bulk-acts';
import { DownloadButton } from './download';
import { nameOf } from './name-of';
import { botChoices, RoleOf, roleChoices, StatusOf, secondFactorChoices, statusChoices } from './user-fields';

const filters = [
  <Search key="q" source="q" alwaysOn label="resources.users.fields.q" />,
  <SelectInput key="role" source="role" choices={roleChoices} />,
  <SelectInput key="status" source="status" choices={statusChoices} />,
  <SelectInput key="bot" source="bot" choices={botChoices} />,
  <SelectInput key="secondFactor" source="secondFactor" choices={secondFactorChoices} />,
  <DateInput key="createdFrom" source="createdFrom" />,
  <DateInput key="createdBefore" source="createdBefore" />,
  <DateInput key="signedInFrom" source="signedInFrom" />,
  <DateInput key="signedInBefore" source="signedInBefore" />,
];

const Column = DataTable.Col<User>;

export default function UserList() {
  const narrow = useMediaQuery((theme: Theme) => theme.breakpoints.down('sm'));
  const { canAccess: mayChange } = useCanAccess({ resource: 'users', action: 'edit' });
  return (
    <List
      filters={filters}
      actions={<Actions narrow={narrow} mayChange={mayChange === true} />}
      sort={{ field: 'username', order: 'ASC' }}
      perPage={25}
      exporter={false}
      queryOptions={{ refetchInterval: LOOK_AGAIN }}
    >
      {narrow ? (
        <NarrowList<User>
          name={nameOf}
          more={({ username }) => username}
          standing={(user) => <StatusOf user={user} />}
          bulk={mayChange ? <BulkActs /> : false}
        />
      ) : (
        <DataTable<User>
          rowClick="show"
          bulkActionButtons={mayChange ? <BulkActs /> : false}
          hiddenColumns={['email', 'secondFactor', 'id']}
        >
          <Column source="username" />
          <Column source="displayName" disableSort render={nameOf} />
          <Column source="role" disableSort render={(user) => <RoleOf user={user} />} />
          <Column source="status" disableSort render={(user) => <StatusOf user={user} />} />
          <Column source="email" disableSort />
          <Column source="secondFactor" disableSort>
            <BooleanField source="secondFactor" />
          </Column>
          <Column source="signedInAt" disableSort>
            <DateField source="signedInAt" showTime emptyText="–" />
          </Column>
          <Column source="createdAt">
            <DateField source="createdAt" showTime />
          </Column>
          <Column source="id" disableSort />
        </DataTable>
      )}
    </List>
  );
}

function Actions({ narrow, mayChange }: { narrow: boolean; mayChange: boolean }) {
  return (
    <TopToolbar sx={{ flexWrap: 'wrap' }}>
      <FilterButton />
      <CreateButton />
      {mayChange && (
        <Button component={Link} to="/users/import" label="verbatim.import.button">
          <ImportIcon />
        </Button>
      )}
      <DownloadButton />
      {!narrow && <ColumnsButton />}
    </TopToolbar>
  );
}
