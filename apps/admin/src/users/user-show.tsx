import type { User } from '@verbatim/protocol';
import { DateField, EditButton, FunctionField, Show, SimpleShowLayout, TextField, TopToolbar } from 'react-admin';
import { StandingButton } from './standing';
import { RoleOf, StatusOf } from './user-fields';
import { LOOK_AGAIN } from './user-list';

export function UserShow() {
  return (
    <Show actions={<Actions />} queryOptions={{ refetchInterval: LOOK_AGAIN }}>
      <SimpleShowLayout>
        <TextField source="username" />
        <TextField source="displayName" emptyText="–" />
        <TextField source="email" emptyText="–" />
        <FunctionField<User> source="role" render={(user) => <RoleOf user={user} />} />
        <FunctionField<User> source="suspended" render={(user) => <StatusOf user={user} />} />
        <DateField source="createdAt" showTime />
        <TextField source="id" sx={{ fontFamily: 'monospace', overflowWrap: 'anywhere' }} />
      </SimpleShowLayout>
    </Show>
  );
}

function Actions() {
  return (
    <TopToolbar>
      <StandingButton />
      <EditButton />
    </TopToolbar>
  );
}
