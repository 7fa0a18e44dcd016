import {
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogContentText,
  DialogTitle,
  TextField,
  Typography,
} from '@mui/material';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useNotify, useTranslate } from 'react-admin';
import { client } from '../../service/client';
import { shown } from '../../service/failure';
import type { Said } from './conversation';

/** Asks for a reason and takes the text away. That it is gone is then told by the room itself, as to all others. */
export function RedactDialog({ room, said, onEnd }: { room: string; said: Said; onEnd(): void }) {
  const translate = useTranslate();
  const notify = useNotify();
  const [reason, setReason] = useState('');
  const { mutate, isPending } = useMutation({
    mutationFn: () =>
      shown(
        client.call('redactMessage', {
          params: { id: room, messageId: said.id },
          body: { reason: reason.trim() || null },
        }),
      ),
    onSuccess: () => {
      notify('verbatim.talk.redact_done');
      onEnd();
    },
    onError: (error) => notify(error.message, { type: 'error' }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    mutate();
  };
  return (
    <Dialog open onClose={onEnd} fullWidth maxWidth="sm" aria-labelledby="redact-title">
      <form onSubmit={submit}>
        <DialogTitle id="redact-title">{translate('verbatim.talk.redact_title')}</DialogTitle>
        <DialogContent>
          <DialogContentText>{translate('verbatim.talk.redact_text')}</DialogContentText>
          <Typography
            component="blockquote"
            sx={{ my: 2, mx: 0, pl: 2, borderLeft: 3, borderColor: 'divider', overflowWrap: 'anywhere' }}
          >
            {said.author}: {said.text?.slice(0, 300)}
          </Typography>
          <TextField
            label={translate('verbatim.rooms.reason')}
            value={reason}
            onChange={({ target }) => setReason(target.value)}
            slotProps={{ htmlInput: { maxLength: 500 } }}
            fullWidth
            autoFocus
          />
        </DialogContent>
        <DialogActions>
          <Button onClick={onEnd}>{translate('verbatim.cancel')}</Button>
          <Button type="submit" color="error" disabled={isPending}>
            {translate('verbatim.talk.redact')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
