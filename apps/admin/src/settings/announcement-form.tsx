import { Button, Card, CardContent, Stack, TextField, Typography } from '@mui/material';
import { type FormEvent, useState } from 'react';
import { useCanAccess, useNotify, useTranslate } from 'react-admin';
import { useAnnouncement } from '../look/announcement';
import { useUnsaved } from '../look/unsaved';
import { useAction } from '../look/use-action';
import { client } from '../service/client';
import { MOST_ANNOUNCED } from './most-announced';

/** Publishes or withdraws an announcement. */
export function AnnouncementForm() {
  const translate = useTranslate();
  const notify = useNotify();
  const announcement = useAnnouncement();
  const [text, setText] = useState('');
  const { canAccess } = useCanAccess({ resource: 'settings', action: 'edit' });
  const announce = useAction(
    (options) => client.call('announce', { body: { text: text.trim() } }, options),
    () => {
      setText('');
      notify('verbatim.settings.announced');
    },
    'notify failures',
  );
  const withdraw = useAction(
    (options) => client.call('withdrawAnnouncement', {}, options),
    () => notify('verbatim.settings.withdrawn'),
    'notify failures',
  );
  const dialog = useUnsaved(text.trim() !== '', 'verbatim.unsaved.form');
  if (!canAccess) return null;
  const busy = announce.busy || withdraw.busy;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim()) announce.act();
  };
  return (
    <Card>
      {dialog}
      <CardContent>
        <Typography variant="h2">{translate('verbatim.settings.announcement')}</Typography>
        <Stack component="form" onSubmit={submit} spacing={1} sx={{ alignItems: 'start', maxWidth: 640 }}>
          <TextField
            label={translate('verbatim.settings.announcement_text')}
            helperText={translate('verbatim.settings.announcement_help')}
            value={text}
            onChange={({ target }) => setText(target.value)}
            slotProps={{ htmlInput: { maxLength: MOST_ANNOUNCED } }}
            fullWidth
          />
          <Stack direction="row" spacing={1}>
            <Button type="submit" variant="contained" disabled={busy || !text.trim()}>
              {translate('verbatim.settings.announce')}
            </Button>
            {announcement && (
              <Button onClick={() => withdraw.act()} disabled={busy}>
                {translate('verbatim.settings.withdraw')}
              </Button>
            )}
          </Stack>
        </Stack>
      </CardContent>
    </Card>
  );
}
