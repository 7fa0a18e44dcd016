import CloseIcon from '@mui/icons-material/DoNotDisturbOn';
import type { Room } from '@verbatim/protocol';
import { useState } from 'react';
import { Button, useCanAccess, useNotify, useRecordContext, useTranslate } from 'react-admin';
import { AskDialog, ReasonInput } from '../look/ask-dialog';
import { useAction } from '../look/use-action';
import { client } from '../service/client';
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
  const notify = useNotify();
  const name = nameOfRoom(room);
  const [reason, setReason] = useState('');
  const { act, busy, error } = useAction(
    (options) =>
      client.call('closeRoom', { params: { id: room.id }, body: { reason: reason.trim() || null } }, options),
    () => {
      notify('verbatim.rooms.closed', { messageArgs: { name } });
      onEnd();
    },
  );
  return (
    <AskDialog
      title={translate('verbatim.rooms.close_title', { name })}
      text={translate('verbatim.rooms.close_text')}
      action={translate('verbatim.rooms.close')}
      color="error"
      typed={name}
      busy={busy}
      error={error}
      onSubmit={() => act()}
      onEnd={onEnd}
    >
      <ReasonInput value={reason} onChange={setReason} />
    </AskDialog>
  );
}
