import type { User } from '@verbatim/protocol';
import {
  Edit,
  maxLength,
  required,
  SaveButton,
  SelectInput,
  SimpleForm,
  TextInput,
  Toolbar,
  useRecordContext,
} from 'react-admin';
import { AskBeforeLeaving } from '../look/unsaved';
import { client } from '../service/client';
import { untilAnswered } from '../service/queries';
import { roleChoices, validEmail } from './user-fields';

export default function UserEdit() {
  return (
    <Edit mutationMode="pessimistic" redirect="show" queryOptions={{ ...untilAnswered, onError: () => undefined }}>
      <SimpleForm toolbar={<SaveOnly />}>
        <AskBeforeLeaving />
        <TextInput source="username" disabled />
        <TextInput source="displayName" validate={[required(), maxLength(80)]} />
        <TextInput
          source="email"
          type="email"
          validate={validEmail}
          helperText="verbatim.users.email_help"
          autoComplete="off"
        />
        <RoleInput />
      </SimpleForm>
    </Edit>
  );
}

function RoleInput() {
  const own = useRecordContext<User>()?.id === client.user?.id;
  return (
    <SelectInput
      source="role"
      choices={roleChoices}
      validate={required()}
      disabled={own}
      helperText={own ? 'verbatim.users.own_role' : 'verbatim.users.role_help'}
    />
  );
}

function SaveOnly() {
  return (
    <Toolbar>
      <SaveButton />
    </Toolbar>
  );
}
