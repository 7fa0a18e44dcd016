import { Button, Stack, TextField } from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import type { User } from '@verbatim/protocol';
import { type FormEvent, useState } from 'react';
import { useNotify, useTranslate } from 'react-admin';
import { Fact, Facts } from '../look/facts';
import { Failure } from '../look/failure';
import { Moment } from '../look/moment';
import { useUnsaved } from '../look/unsaved';
import { useAction } from '../look/use-action';
import { client } from '../service/client';
import { shown } from '../service/failure';
import { RoleOf } from '../users/user-fields';

/** Who one is here. */
export function OwnProfile() {
  const { data, error } = useQuery({ queryKey: ['me'], queryFn: () => shown(client.call('getMe')) });
  if (error) return <Failure error={error} />;
  return data ? <Profile me={data} /> : null;
}

function Profile({ me }: { me: User }) {
  return (
    <Stack spacing={3}>
      <Facts>
        <Fact label="resources.users.fields.username">{me.username}</Fact>
        <Fact label="resources.users.fields.email">{me.email ?? '–'}</Fact>
        <Fact label="resources.users.fields.role">
          <RoleOf user={me} />
        </Fact>
        <Fact label="resources.users.fields.createdAt">
          <Moment at={me.createdAt} />
        </Fact>
      </Facts>
      <DisplayName me={me} />
    </Stack>
  );
}

function DisplayName({ me }: { me: User }) {
  const translate = useTranslate();
  const notify = useNotify();
  const [saved, setSaved] = useState(me.displayName ?? '');
  const [name, setName] = useState(saved);
  const changed = name.trim() !== saved;
  const dialog = useUnsaved(changed, 'verbatim.unsaved.form');
  const { act, busy, error } = useAction(
    (options) => client.call('changeMe', { body: { displayName: name.trim() } }, options),
    ({ displayName }) => {
      setSaved(displayName ?? '');
      setName(displayName ?? '');
      notify('verbatim.users.saved', { type: 'success' });
    },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (changed && !busy) act();
  };
  return (
    <Stack component="form" onSubmit={submit} spacing={1} sx={{ maxWidth: 480, alignItems: 'start' }}>
      {dialog}
      <Failure error={error} />
      <TextField
        label={translate('resources.users.fields.displayName')}
        helperText={translate('verbatim.own.name_help')}
        value={name}
        onChange={({ target }) => setName(target.value)}
        slotProps={{ htmlInput: { maxLength: 80, dir: 'auto' } }}
        required
        fullWidth
      />
      <Button type="submit" variant="contained" disabled={!changed || busy || name.trim() === ''}>
        {translate('ra.action.save')}
      </Button>
    </Stack>
  );
}
