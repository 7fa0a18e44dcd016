import ImportIcon from '@mui/icons-material/Upload';
import { type Theme, useMediaQuery } from '@mui/material';
import type { User } from '@verbatim/protocol';
import {
  BooleanField,
  Button,
  ColumnsButton,
  CreateButton,
  DataTable,
  DateInput,
  FilterButton,
  Link,
  List,
  SelectInput,
  TopToolbar,
  useCanAccess,
} from 'react-admin';
import { MomentField } from '../look/moment';
import { NarrowList } from '../look/narrow-list';
import { RowLink } from '../look/row-link';
import { Still } from '../look/still';
import { liveList } from '../service/queries';
import { BulkActs } from './bulk-acts';
import { DownloadButton } from './download';
import { nameOf } from './name-of';
import { SearchPeople } from './search-people';
import { botChoices, EmailOf, RoleOf, roleChoices, StatusOf, secondFactorChoices, statusChoices } from './user-fields';

const filters = [
  <SearchPeople key="q" source="q" alwaysOn />,
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
      queryOptions={liveList}
    >
      <Still>
        {narrow ? (
          <NarrowList<User>
            name={nameOf}
            more={({ username }) => username}
            standing={(user) => <StatusOf user={user} />}
            bulk={mayChange ? <BulkActs /> : false}
          />
        ) : (
          <DataTable<User>
            rowClick={false}
            bulkActionButtons={mayChange ? <BulkActs /> : false}
            hiddenColumns={['email', 'secondFactor', 'id']}
          >
            <Column
              source="username"
              render={({ id, username }) => <RowLink to={`/users/${id}/show`}>{username}</RowLink>}
            />
            <Column source="displayName" disableSort render={(user) => <bdi>{nameOf(user)}</bdi>} />
            <Column source="role" disableSort render={(user) => <RoleOf user={user} />} />
            <Column source="status" disableSort render={(user) => <StatusOf user={user} />} />
            <Column source="email" disableSort render={(user) => <EmailOf user={user} />} />
            <Column source="secondFactor" disableSort>
              <BooleanField source="secondFactor" />
            </Column>
            <Column source="signedInAt" disableSort>
              <MomentField source="signedInAt" />
            </Column>
            <Column source="createdAt">
              <MomentField source="createdAt" />
            </Column>
            <Column source="id" disableSort />
          </DataTable>
        )}
      </Still>
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
