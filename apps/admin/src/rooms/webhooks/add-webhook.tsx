import { Autocomplete, TextField } from '@mui/material';
import { sendableEventTypes } from '@verbatim/protocol';
import { useState } from 'react';
import { useTranslate } from 'react-admin';
import { AskDialog } from '../../look/ask-dialog';
import { useAction } from '../../look/use-action';
import { client } from '../../service/client';

interface AddWebhookProps {
  /** Id of the room. */
  readonly room: string;
  onAdded(secret: string): void;
  onEnd(): void;
}

/** Asks for the URL and the event types. */
export function AddWebhook({ room, onAdded, onEnd }: AddWebhookProps) {
  const translate = useTranslate();
  const [url, setUrl] = useState('');
  const [events, setEvents] = useState(['MessagePosted']);
  const { act, busy, error } = useAction(
    (options) => client.call('addWebhook', { params: { id: room }, body: { url: url.trim(), events } }, options),
    ({ secret }) => onAdded(secret),
  );
  return (
    <AskDialog
      title={translate('verbatim.webhooks.add_outgoing')}
      text={translate('verbatim.webhooks.add_outgoing_text')}
      action={translate('verbatim.webhooks.add')}
      ready={url.trim() !== '' && events.length > 0}
      busy={busy}
      error={error}
      onSubmit={() => act()}
      onEnd={onEnd}
    >
      <TextField
        type="url"
        label={translate('verbatim.webhooks.url')}
        helperText={translate('verbatim.webhooks.url_help')}
        value={url}
        onChange={({ target }) => setUrl(target.value)}
        slotProps={{ htmlInput: { maxLength: 2_000, autoComplete: 'off' } }}
        margin="normal"
        required
        fullWidth
        autoFocus
      />
      <Autocomplete
        multiple
        disableCloseOnSelect
        options={[...sendableEventTypes]}
        value={events}
        onChange={(_, chosen) => setEvents(chosen)}
        renderInput={(params) => (
          <TextField {...params} label={translate('verbatim.webhooks.events')} margin="normal" />
        )}
      />
    </AskDialog>
  );
}
