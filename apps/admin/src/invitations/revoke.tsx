import { Button } from '@mui/material';
import type { Invitation } from '@verbatim/protocol';
import { useState } from 'react';
import { useNotify, useTranslate } from 'react-admin';
import { AskDialog } from '../look/ask-dialog';
import { useAction } from '../look/use-action';
import { client } from '../service/client';

/** Ends an invitation. */
export function Revoke({ invitation }: { invitation: Invitation }) {
  const translate = useTranslate();
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button size="small" color="error" onClick={() => setAsking(true)}>
        {translate('verbatim.invitations.revoke')}
      </Button>
      {asking && <RevokeDialog invitation={invitation} onEnd={() => setAsking(false)} />}
    </>
  );
}

function RevokeDialog({ invitation: { id, roomId }, onEnd }: { invitation: Invitation; onEnd(): void }) {
  const translate = useTranslate();
  const notify = useNotify();
  const { act, busy, error } = useAction(
    (options) =>
      roomId
        ? client.call('revokeRoomInvitation', { params: { id: roomId, invitationId: id } }, options)
        : client.call('revokeInvitation', { params: { id } }, options),
    () => {
      notify('verbatim.invitations.revoke_done');
      onEnd();
    },
  );
  return (
    <AskDialog
      title={translate('verbatim.invitations.revoke_title')}
      text={translate('verbatim.invitations.revoke_text')}
      action={translate('verbatim.invitations.revoke')}
      color="error"
      typed={translate('verbatim.invitations.revoke_word')}
      busy={busy}
      error={error}
      onSubmit={() => act()}
      onEnd={onEnd}
    />
  );
}
