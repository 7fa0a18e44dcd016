import AddIcon from '@mui/icons-material/Add';
import { Button, List, ListItem, ListItemText, TextField, Typography } from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import type { IncomingWebhook } from '@verbatim/protocol';
import { useState } from 'react';
import { Link, useNotify, useTranslate } from 'react-admin';
import { AskDialog } from '../../look/ask-dialog';
import { Failure } from '../../look/failure';
import { Moment } from '../../look/moment';
import { SecretDialog } from '../../look/secret-dialog';
import { useAction } from '../../look/use-action';
import { apiUrl, client } from '../../service/client';
import { shown } from '../../service/failure';
import { LOOK_AGAIN } from '../../service/look-again';
import type { WebhooksProps } from './outgoing';

/** The URLs at which programs post to the room. */
export function Incoming({ room, mayAdd, mayChange }: WebhooksProps) {
  const translate = useTranslate();
  const [adding, setAdding] = useState(false);
  const [address, setAddress] = useState<string | null>(null);
  const { data, error } = useQuery({
    queryKey: ['incoming webhooks', room],
    queryFn: () => shown(client.call('listIncomingWebhooks', { params: { id: room } })),
    refetchInterval: LOOK_AGAIN,
  });
  const added = (path: string) => {
    setAdding(false);
    setAddress(`${apiUrl}${path}`);
  };
  return (
    <>
      <Typography color="textSecondary" sx={{ my: 1 }}>
        {translate('verbatim.webhooks.incoming_lead')}
      </Typography>
      <Failure error={error} />
      {data?.items.length === 0 && <Typography sx={{ my: 2 }}>{translate('verbatim.webhooks.no_incoming')}</Typography>}
      <List>
        {data?.items.map((webhook) => (
          <ListItem key={webhook.id} disableGutters divider>
            <ListItemText
              primary={<Link to={`/users/${webhook.botId}/show`}>{nameOfHook(webhook)}</Link>}
              secondary={<Moment at={webhook.createdAt} />}
            />
            {mayChange && <Remove webhook={webhook} />}
          </ListItem>
        ))}
      </List>
      {mayAdd && (
        <Button variant="outlined" startIcon={<AddIcon />} onClick={() => setAdding(true)}>
          {translate('verbatim.webhooks.add_incoming')}
        </Button>
      )}
      {adding && <AddDialog room={room} onAdded={added} onEnd={() => setAdding(false)} />}
      {address !== null && (
        <SecretDialog
          title={translate('verbatim.webhooks.address')}
          text={translate('verbatim.webhooks.address_text')}
          label={translate('verbatim.webhooks.address')}
          secret={address}
          onEnd={() => setAddress(null)}
        />
      )}
    </>
  );
}

const nameOfHook = ({ name, botId }: IncomingWebhook): string => name ?? botId;

function AddDialog({ room, onAdded, onEnd }: { room: string; onAdded(path: string): void; onEnd(): void }) {
  const translate = useTranslate();
  const [name, setName] = useState('');
  const { act, busy, error } = useAction(
    (options) => client.call('addIncomingWebhook', { params: { id: room }, body: { name: name.trim() } }, options),
    ({ path }) => onAdded(path),
  );
  return (
    <AskDialog
      title={translate('verbatim.webhooks.add_incoming')}
      text={translate('verbatim.webhooks.add_incoming_text')}
      action={translate('verbatim.webhooks.add')}
      ready={name.trim() !== ''}
      busy={busy}
      error={error}
      onSubmit={() => act()}
      onEnd={onEnd}
    >
      <TextField
        label={translate('verbatim.webhooks.bot_name')}
        value={name}
        onChange={({ target }) => setName(target.value)}
        slotProps={{ htmlInput: { maxLength: 80 } }}
        margin="normal"
        required
        fullWidth
        autoFocus
      />
    </AskDialog>
  );
}

function Remove({ webhook }: { webhook: IncomingWebhook }) {
  const translate = useTranslate();
  const notify = useNotify();
  const [asking, setAsking] = useState(false);
  const name = nameOfHook(webhook);
  const { act, busy, error, cancel } = useAction(
    (options) =>
      client.call('removeIncomingWebhook', { params: { id: webhook.roomId, webhookId: webhook.id } }, options),
    () => {
      setAsking(false);
      notify('verbatim.webhooks.remove_done');
    },
  );
  return (
    <>
      <Button color="error" onClick={() => setAsking(true)}>
        {translate('verbatim.webhooks.remove_hook', { name })}
      </Button>
      {asking && (
        <AskDialog
          title={translate('verbatim.webhooks.remove_title', { name })}
          text={translate('verbatim.webhooks.remove_hook_text')}
          action={translate('verbatim.webhooks.remove')}
          color="error"
          typed={name}
          busy={busy}
          error={error}
          onSubmit={() => act()}
          onEnd={() => {
            setAsking(false);
            cancel();
          }}
        />
      )}
    </>
  );
}
