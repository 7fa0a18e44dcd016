import { Typography } from '@mui/material';
import type { Room, User } from '@verbatim/protocol';
import {
  AutocompleteInput,
  CanAccess,
  Create,
  DateInput,
  maxLength,
  ReferenceInput,
  required,
  SaveButton,
  SimpleForm,
  TextInput,
  Toolbar,
  useTranslate,
} from 'react-admin';
import { Denied } from '../look/denied';
import { AskBeforeLeaving } from '../look/unsaved';
import { nameOfRoom } from '../rooms/name-of-room';
import { nameOf } from '../users/name-of';

/** Asks for an export. What is left empty does not narrow it down. */
export default function ExportCreate() {
  const translate = useTranslate();
  return (
    <CanAccess resource="exports" action="create" accessDenied={<Denied />}>
      <Create redirect="show" title="verbatim.exports.new">
        <SimpleForm toolbar={<Ask />} sx={{ maxWidth: 640 }}>
          <AskBeforeLeaving />
          <Typography color="textSecondary" sx={{ mb: 2 }}>
            {translate('verbatim.exports.form')}
          </Typography>
          <ReferenceInput source="room" reference="rooms" sort={{ field: 'activeAt', order: 'DESC' }} perPage={10}>
            <AutocompleteInput
              optionText={(room: Room) => nameOfRoom(room)}
              filterToQuery={asked}
              noOptionsText="verbatim.subject.no_room"
              fullWidth
            />
          </ReferenceInput>
          <ReferenceInput source="person" reference="users" sort={{ field: 'username', order: 'ASC' }} perPage={10}>
            <AutocompleteInput
              optionText={(user: User) => `${nameOf(user)} (${user.username})`}
              filterToQuery={asked}
              noOptionsText="verbatim.rooms.nobody_found"
              fullWidth
            />
          </ReferenceInput>
          <DateInput source="from" helperText="verbatim.exports.from_help" fullWidth />
          <DateInput source="to" validate={notBeforeFrom} helperText="verbatim.exports.to_help" fullWidth />
          <TextInput source="words" validate={maxLength(500)} helperText="verbatim.exports.words_help" fullWidth />
          <TextInput
            source="reason"
            validate={[required(), maxLength(500)]}
            helperText="verbatim.exports.reason_help"
            fullWidth
          />
        </SimpleForm>
      </Create>
    </CanAccess>
  );
}

const asked = (q: string) => ({ q: q.trim() || undefined });

const notBeforeFrom = (to: string | undefined, { from }: { from?: string }): string | undefined =>
  from && to && from > to ? 'verbatim.subject.backwards' : undefined;

function Ask() {
  return (
    <Toolbar>
      <SaveButton label="verbatim.exports.request" icon={null} alwaysEnable />
    </Toolbar>
  );
}
