import AddIcon from '@mui/icons-material/Add';
import { Button, Stack, Typography } from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslate } from 'react-admin';
import { Failure } from '../../look/failure';
import { SecretDialog } from '../../look/secret-dialog';
import { client } from '../../service/client';
import { shown } from '../../service/failure';
import { LOOK_AGAIN } from '../../service/look-again';
import { AddWebhook } from './add-webhook';
import { WebhookCard } from './webhook-card';

export interface WebhooksProps {
  /** Id of the room. */
  readonly room: string;
  readonly mayAdd: boolean;
  readonly mayChange: boolean;
}

/** The webhooks that send events of the room. */
export function Outgoing({ room, mayAdd, mayChange }: WebhooksProps) {
  const translate = useTranslate();
  const [adding, setAdding] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const { data, error } = useQuery({
    queryKey: ['webhooks', room],
    queryFn: () => shown(client.call('listWebhooks', { params: { id: room } })),
    refetchInterval: LOOK_AGAIN,
  });
  const added = (signing: string) => {
    setAdding(false);
    setSecret(signing);
  };
  return (
    <>
      <Typography color="textSecondary" sx={{ my: 1 }}>
        {translate('verbatim.webhooks.outgoing_lead')}
      </Typography>
      <Failure error={error} />
      {data?.items.length === 0 && <Typography sx={{ my: 2 }}>{translate('verbatim.webhooks.no_outgoing')}</Typography>}
      <Stack component="ul" spacing={2} sx={{ listStyle: 'none', m: 0, my: 1, p: 0 }}>
        {data?.items.map((webhook) => (
          <li key={webhook.id}>
            <WebhookCard webhook={webhook} mayChange={mayChange} onSecret={setSecret} />
          </li>
        ))}
      </Stack>
      {mayAdd && (
        <Button variant="outlined" startIcon={<AddIcon />} onClick={() => setAdding(true)}>
          {translate('verbatim.webhooks.add_outgoing')}
        </Button>
      )}
      {adding && <AddWebhook room={room} onAdded={added} onEnd={() => setAdding(false)} />}
      {secret !== null && (
        <SecretDialog
          title={translate('verbatim.webhooks.secret')}
          text={translate('verbatim.webhooks.secret_text')}
          label={translate('verbatim.webhooks.secret')}
          secret={secret}
          onEnd={() => setSecret(null)}
        />
      )}
    </>
  );
}
