import { Button, Card, CardContent, Stack, TextField, Typography } from '@mui/material';
import { type FormEvent, useState } from 'react';
import { useCanAccess, useTranslate } from 'react-admin';
import { useAnnouncement } from '../look/announcement';
import { client } from '../service/client';
import { MOST, useChange } from './use-change';

/** Administrators tell everybody something, or tell it no more. */
export function AnnouncementForm() {
  const translate = useTranslate();
  const told = useAnnouncement();
  const [text, setText] = useState('');
  const { canAccess } = useCanAccess({ resource: 'settings', action: 'edit' });
  const announce = useChange(async () => {
    await client.call('announce', { body: { text: text.trim() } });
    setText('');
  }, 'verbatim.settings.announced');
  const withdraw = useChange(() => client.call('withdrawAnnouncement'), 'verbatim.settings.withdrawn');
  if (!canAccess) return null;
  const busy = announce.isPending || withdraw.isPending;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim()) announce.mutate();
  };
  return (
    <Card>
      <CardContent>
        <Typography variant="h2">{translate('verbatim.settings.announcement')}</Typography>
        <Stack component="form" onSubmit={submit} spacing={1} sx={{ alignItems: 'start', maxWidth: 640 }}>
          <TextField
            label={translate('verbatim.settings.announcement_text')}
            helperText={translate('verbatim.settings.announcement_help')}
            value={text}
            onChange={({ target }) => setText(target.value)}
            slotProps={{ htmlInput: { maxLength: MOST } }}
            fullWidth
          />
          <Stack direction="row" spacing={1}>
            <Button type="submit" variant="contained" disabled={busy || !text.trim()}>
              {translate('verbatim.settings.announce')}
            </Button>
            {told && (
              <Button onClick={() => withdraw.mutate()} disabled={busy}>
                {translate('verbatim.settings.withdraw')}
              </Button>
            )}
          </Stack>
        </Stack>
      </CardContent>
    </Card>
  );
}
