import AddIcon from '@mui/icons-material/PersonAddAlt';
import { Autocomplete, Button, MenuItem, Stack, TextField } from '@mui/material';
import type { Member, Room, User } from '@verbatim/protocol';
import { useState } from 'react';
import { useCreate, useGetList, useNotify, useRefresh, useTranslate } from 'react-admin';
import { untilAnswered } from '../../service/queries';
import { nameOf } from '../../users/name-of';
import type { MemberRecord } from './members-source';
import { roomRoles } from './role-of-member';

/** Finds a person by name and adds them to the room. */
export function AddMember({ room }: { room: Room }) {
  const translate = useTranslate();
  const [person, setPerson] = useState<User | null>(null);
  const [role, setRole] = useState<Member['role']>('member');
  const { add, busy } = useAdd(room, () => setPerson(null));
  return (
    <Stack
      component="form"
      direction={{ xs: 'column', sm: 'row' }}
      spacing={1}
      sx={{ my: 1, alignItems: { sm: 'center' } }}
      onSubmit={(event) => {
        event.preventDefault();
        if (person) add(person, role);
      }}
    >
      <FindPerson person={person} label="verbatim.rooms.find_person" onFound={setPerson} />
      <TextField
        select
        size="small"
        label={translate('resources.members.fields.role')}
        value={role}
        onChange={({ target }) => setRole(target.value as Member['role'])}
        sx={{ minWidth: 140 }}
      >
        {roomRoles.map((one) => (
          <MenuItem key={one} value={one}>
            {translate(`verbatim.room_role.${one}`)}
          </MenuItem>
        ))}
      </TextField>
      <Button type="submit" variant="outlined" startIcon={<AddIcon />} disabled={!person || busy}>
        {translate('verbatim.rooms.add_member')}
      </Button>
    </Stack>
  );
}

interface FindPersonProps {
  readonly person: User | null;
  /** Key of the field's label. */
  readonly label: string;
  onFound(person: User | null): void;
}

/** A field that finds people by their names. */
export function FindPerson({ person, label, onFound }: FindPersonProps) {
  const translate = useTranslate();
  const [q, setQ] = useState('');
  const { data = [], isFetching } = useGetList<User>(
    'users',
    {
      filter: { q: q.trim() || undefined },
      pagination: { page: 1, perPage: 10 },
      sort: { field: 'username', order: 'ASC' },
    },
    untilAnswered,
  );
  return (
    <Autocomplete
      size="small"
      sx={{ flex: 1, maxWidth: { sm: 360 } }}
      options={data}
      loading={isFetching}
      value={person}
      filterOptions={(found) => found}
      isOptionEqualToValue={(a, b) => a.id === b.id}
      getOptionKey={({ id }) => id}
      getOptionLabel={(user) => `${nameOf(user)} (${user.username})`}
      noOptionsText={translate('verbatim.rooms.nobody_found')}
      onInputChange={(_, text, why) => why === 'input' && setQ(text)}
      onChange={(_, found) => onFound(found)}
      renderInput={(params) => <TextField {...params} label={translate(label)} />}
    />
  );
}

function useAdd(room: Room, onAdded: () => void) {
  const notify = useNotify();
  const refresh = useRefresh();
  const [create, { isPending }] = useCreate<MemberRecord>();
  const add = (person: User, role: Member['role']) =>
    create(
      'members',
      { data: { roomId: room.id, userId: person.id, role } },
      {
        onSuccess: () => {
          notify('verbatim.rooms.added', { messageArgs: { name: nameOf(person) }, type: 'success' });
          onAdded();
          refresh();
        },
        onError: (error) => notify((error as Error).message, { type: 'error' }),
      },
    );
  return { add, busy: isPending };
}
