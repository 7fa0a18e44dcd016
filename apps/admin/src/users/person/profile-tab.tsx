import type { User } from '@verbatim/protocol';
import { BooleanField, FunctionField, NumberField, SimpleShowLayout, TextField, useRecordContext } from 'react-admin';
import { MomentField } from '../../look/moment';
import { EmailOf, RoleOf, StatusOf } from '../user-fields';
import { AccountActs } from './account-acts';

export function ProfileTab() {
  const user = useRecordContext<User>();
  if (!user) return null;
  return (
    <>
      <SimpleShowLayout sx={{ p: 0 }}>
        <TextField source="username" />
        <TextField source="displayName" emptyText="–" />
        <FunctionField<User> source="email" render={(one) => <EmailOf user={one} />} />
        <FunctionField<User> source="role" render={(one) => <RoleOf user={one} />} />
        <FunctionField<User> source="status" render={(one) => <StatusOf user={one} />} />
        {!user.bot && <BooleanField source="secondFactor" textAlign="left" />}
        <MomentField source="createdAt" />
        {!user.bot && <MomentField source="signedInAt" />}
        <NumberField source="messages" textAlign="left" />
        <TextField source="id" sx={{ fontFamily: 'monospace', overflowWrap: 'anywhere' }} />
      </SimpleShowLayout>
      <AccountActs user={user} />
    </>
  );
}
