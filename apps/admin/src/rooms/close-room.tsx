import CloseIcon from '@mui/icons-material/DoNotDisturbOn';
import {
  Dialog,
  DialogActions,
  DialogContent,
  DialogContentText,
  DialogTitle,
  Button as MuiButton,
  TextField,
} from '@mui/material';
import { useMutation } from '@tanstack/react-query';
import type { Room } from '@verbatim/protocol';
import { type FormEvent, useState } from 'react';
import { Button, useCanAccess, useNotify, useRecordContext, useRefresh, useTranslate } from 'react-admin';
import { client } from '../service/client';
import { shown } from '../service/failure';
import { nameOfRoom } from './name-of-room';

/** Closes a room for good, once its name was typed. */
export function CloseRoomButton() {
  const room = useRecordContext<Room>();
  const [asking, setAsking] = useState(false);
  const { canAccess } = useCanAccess({ resource: 'rooms', action: 'edit' });
  if (!room || !canAccess || room.status === 'closed' || room.visibility === 'direct') return null;
  return (
    <>
      <Button label="verbatim.rooms.close" color="error" onClick={() => setAsking(true)}>
        <CloseIcon />
      </Button>
      {asking && <CloseDialog room={room} onEnd={() => setAsking(false)} />}
    </>
  );
}

function CloseDialog({ room, onEnd }: { room: Room; onEnd(): void }) {
  const translate = useTranslate();
  const name = nameOfRoom(room);
  const [typed, setTyped] = useState('');
  const [reason, setReason] = useState('');
  const { close, busy } = useClose(room, name, onEnd);
  const sure = typed.trim() === name;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (sure) close(reason.trim() || null);
  };
  return (
    <Dialog open onClose={onEnd} fullWidth maxWidth="sm" aria-labelledby="close-room-title">
      <form onSubmit={submit}>
        <DialogTitle id="close-room-title">{translate('verbatim.rooms.close_title', { name })}</DialogTitle>
        <DialogContent>
          <DialogContentText>{translate('verbatim.rooms.close_text')}</DialogContentText>
          <TextField
            label={translate('verbatim.rooms.reason')}
            helperText={translate('verbatim.rooms.reason_help')}
            value={reason}
            onChange={({ target }) => setReason(target.value)}
            slotProps={{ htmlInput: { maxLength: 500 } }}
            margin="normal"
            fullWidth
            autoFocus
          />
          <TextField
            label={translate('verbatim.rooms.close_type')}
            value={typed}
            onChange={({ target }) => setTyped(target.value)}
            autoComplete="off"
            margin="normal"
            fullWidth
          />
        </DialogContent>
        <DialogActions>
          <MuiButton onClick={onEnd}>{translate('verbatim.cancel')}</MuiButton>
          <MuiButton type="submit" color="error" disabled={!sure || busy}>
            {translate('verbatim.rooms.close')}
          </MuiButton>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function useClose(room: Room, name: string, onEnd: () => void) {
  const notify = useNotify();
  const refresh = useRefresh();
  const { mutate, isPending } = useMutation({
    mutationFn: (reason: string | null) =>
      shown(client.call('closeRoom', { params: { id: room.id }, body: { reason } })),
    onSuccess: () => {
      notify('verbatim.rooms.closed', { messageArgs: { name } });
      refresh();
      onEnd();
    },
    onError: (error) => notify(error.message, { type: 'error' }),
  });
  return { close: mutate, busy: isPending };
}
