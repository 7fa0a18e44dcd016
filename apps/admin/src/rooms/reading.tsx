import { Button, Stack, TextField, Typography } from '@mui/material';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { Room } from '@verbatim/protocol';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useRecordContext, useTranslate } from 'react-admin';
import { Failure } from '../look/failure';
import { client } from '../service/client';
import { codeOf, shown } from '../service/failure';
import { giveReason, why } from './reasons';

/**
 * What is said and done in a room. Where the service wants to know why somebody reads a room that they are not in, it is
 * asked first; the reason is recorded in the room.
 */
export function Reading({ children }: { children: ReactNode }) {
  const room = useRecordContext<Room>();
  const { error, isPending } = useQuery({
    queryKey: ['may read', room?.id],
    queryFn: async () => {
      const id = room?.id ?? '';
      await shown(client.call('listMessages', { params: { id }, query: { limit: 1 } }, { ...why(id) }));
      return true;
    },
    enabled: room !== undefined,
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (!room || isPending) return null;
  if (codeOf(error) === 'reason_required') return <AskWhy room={room} />;
  if (error) return <Failure error={error} />;
  return children;
}

function AskWhy({ room }: { room: Room }) {
  const translate = useTranslate();
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!reason.trim()) return;
    giveReason(room.id, reason.trim());
    void queries.resetQueries({ queryKey: ['may read', room.id] });
  };
  return (
    <Stack component="form" onSubmit={submit} spacing={2} sx={{ maxWidth: 560, py: 2, alignItems: 'start' }}>
      <Typography variant="h2">{translate('verbatim.reading.title')}</Typography>
      <Typography color="textSecondary">{translate('verbatim.reading.text')}</Typography>
      <TextField
        label={translate('verbatim.reading.reason')}
        value={reason}
        onChange={({ target }) => setReason(target.value)}
        slotProps={{ htmlInput: { maxLength: 500 } }}
        required
        fullWidth
      />
      <Button type="submit" variant="contained" disabled={!reason.trim()}>
        {translate('verbatim.reading.go')}
      </Button>
    </Stack>
  );
}
