import { Create, maxLength, PasswordInput, required, SimpleForm, TextInput } from 'react-admin';
import { AskBeforeLeaving } from '../look/unsaved';
import { HistoryInput, VisibilityInput } from './room-inputs';

export default function RoomCreate() {
  return (
    <Create redirect="show">
      <SimpleForm defaultValues={{ visibility: 'public', history: 'full', topic: '' }}>
        <AskBeforeLeaving />
        <TextInput source="name" validate={[required(), maxLength(80)]} autoFocus />
        <TextInput source="topic" validate={maxLength(500)} multiline />
        <VisibilityInput />
        <HistoryInput />
        <PasswordInput
          source="password"
          validate={maxLength(200)}
          autoComplete="new-password"
          helperText="verbatim.rooms.password_help"
        />
      </SimpleForm>
    </Create>
  );
}
