import { Stack, Typography } from '@mui/material';
import type { Room } from '@verbatim/protocol';
import { useId } from 'react';
import { useCanAccess, useRecordContext, useTranslate } from 'react-admin';
import { Incoming } from './incoming';
import { Outgoing } from './outgoing';

/** The outgoing and incoming webhooks of the room. */
export function WebhooksTab() {
  const room = useRecordContext<Room>();
  const translate = useTranslate();
  const id = useId();
  const { canAccess } = useCanAccess({ resource: 'webhooks', action: 'edit' });
  if (!room) return null;
  const mayChange = canAccess === true;
  const mayAdd = mayChange && room.status === 'open' && room.visibility !== 'direct';
  return (
    <Stack key={room.id} spacing={4}>
      <section aria-labelledby={`${id}out`}>
        <Typography variant="h2" id={`${id}out`}>
          {translate('verbatim.webhooks.outgoing')}
        </Typography>
        <Outgoing room={room.id} mayAdd={mayAdd} mayChange={mayChange} />
      </section>
      <section aria-labelledby={`${id}in`}>
        <Typography variant="h2" id={`${id}in`}>
          {translate('verbatim.webhooks.incoming')}
        </Typography>
        <Incoming room={room.id} mayAdd={mayAdd} mayChange={mayChange} />
      </section>
    </Stack>
  );
}
