import { Button, Stack, TextField, Typography } from '@mui/material';
import { type FormEvent, useState } from 'react';
import { useNotify, useTranslate } from 'react-admin';
import { Failure } from '../look/failure';
import { useAction } from '../look/use-action';
import { client } from '../service/client';

/** Minimum characters of a password. */
const LEAST = 10;

/** Changes your own password. All other sessions end. */
export function OwnPassword() {
  const translate = useTranslate();
  const notify = useNotify();
  const [currentPassword, setCurrent] = useState('');
  const [newPassword, setNew] = useState('');
  const [again, setAgain] = useState('');
  const { act, busy, error } = useAction(
    (options) => client.call('changePassword', { body: { currentPassword, newPassword } }, options),
    () => {
      for (const empty of [setCurrent, setNew, setAgain]) empty('');
      notify('verbatim.own.password_changed', { type: 'success' });
    },
  );
  const different = again !== '' && again !== newPassword;
  const ready = currentPassword !== '' && newPassword.length >= LEAST && again === newPassword;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready && !busy) act();
  };
  return (
    <Stack component="form" onSubmit={submit} spacing={2} sx={{ maxWidth: 480, alignItems: 'start' }}>
      <Typography color="textSecondary">{translate('verbatim.own.password_text')}</Typography>
      <Failure error={error} meanings={{ forbidden: 'verbatim.own.wrong_password' }} />
      <TextField
        type="password"
        label={translate('verbatim.own.current_password')}
        value={currentPassword}
        onChange={({ target }) => setCurrent(target.value)}
        autoComplete="current-password"
        required
        fullWidth
      />
      <TextField
        type="password"
        label={translate('verbatim.reset.password')}
        helperText={translate('verbatim.reset.password_help')}
        value={newPassword}
        onChange={({ target }) => setNew(target.value)}
        autoComplete="new-password"
        required
        fullWidth
      />
      <TextField
        type="password"
        label={translate('verbatim.reset.again')}
        value={again}
        error={different}
        helperText={different ? translate('verbatim.reset.not_same') : undefined}
        onChange={({ target }) => setAgain(target.value)}
        autoComplete="new-password"
        required
        fullWidth
      />
      <Button type="submit" variant="contained" disabled={!ready || busy}>
        {translate('verbatim.own.change_password')}
      </Button>
    </Stack>
  );
}
