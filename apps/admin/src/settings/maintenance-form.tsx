import { Button, Card, CardContent, Stack, TextField, Typography } from '@mui/material';
import { useState } from 'react';
import { useCanAccess, useNotify, useTranslate } from 'react-admin';
import { useMaintenance } from '../look/announcement';
import { AskDialog } from '../look/ask-dialog';
import { useAction } from '../look/use-action';
import { client } from '../service/client';
import { MOST_ANNOUNCED } from './most-announced';

/** Starts and ends maintenance. */
export function MaintenanceForm() {
  const translate = useTranslate();
  const now = useMaintenance();
  const [asking, setAsking] = useState(false);
  const { canAccess } = useCanAccess({ resource: 'settings', action: 'edit' });
  const notify = useNotify();
  const end = useAction(
    (options) => client.call('endMaintenance', {}, options),
    () => notify('verbatim.maintenance.ended'),
    'notify failures',
  );
  if (!canAccess) return null;
  return (
    <Card>
      <CardContent>
        <Typography variant="h2">{translate('verbatim.maintenance.title')}</Typography>
        <Typography color="textSecondary" sx={{ mb: 1 }}>
          {translate(now ? 'verbatim.maintenance.lead_on' : 'verbatim.maintenance.lead')}
        </Typography>
        <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: 'wrap' }}>
          {now && (
            <Button variant="contained" onClick={() => end.act()} disabled={end.busy}>
              {translate('verbatim.maintenance.end')}
            </Button>
          )}
          <Button color={now ? 'primary' : 'warning'} onClick={() => setAsking(true)} disabled={end.busy}>
            {translate(now ? 'verbatim.maintenance.revise' : 'verbatim.maintenance.begin')}
          </Button>
        </Stack>
        {asking && <Begin already={now !== null} onEnd={() => setAsking(false)} />}
      </CardContent>
    </Card>
  );
}

function Begin({ already, onEnd }: { already: boolean; onEnd(): void }) {
  const translate = useTranslate();
  const [text, setText] = useState('');
  const [date, setDate] = useState('');
  const until = date === '' ? null : new Date(date).toISOString();
  const notify = useNotify();
  const begin = useAction(
    (options) => client.call('beginMaintenance', { body: { text: text.trim() || null, until } }, options),
    () => {
      notify('verbatim.maintenance.begun');
      onEnd();
    },
  );
  return (
    <AskDialog
      title={translate(already ? 'verbatim.maintenance.revise_title' : 'verbatim.maintenance.begin_title')}
      text={translate('verbatim.maintenance.begin_text')}
      action={translate(already ? 'verbatim.maintenance.revise' : 'verbatim.maintenance.begin')}
      color="warning"
      busy={begin.busy}
      error={begin.error}
      onSubmit={() => begin.act()}
      onEnd={onEnd}
    >
      <TextField
        label={translate('verbatim.maintenance.text')}
        helperText={translate('verbatim.maintenance.text_help')}
        value={text}
        onChange={({ target }) => setText(target.value)}
        slotProps={{ htmlInput: { maxLength: MOST_ANNOUNCED } }}
        margin="normal"
        fullWidth
        autoFocus
      />
      <TextField
        type="datetime-local"
        label={translate('verbatim.maintenance.until')}
        helperText={translate('verbatim.maintenance.until_help')}
        value={date}
        onChange={({ target }) => setDate(target.value)}
        slotProps={{ inputLabel: { shrink: true } }}
        margin="normal"
        fullWidth
      />
    </AskDialog>
  );
}
