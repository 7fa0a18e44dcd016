import { Typography } from '@mui/material';
import { useState } from 'react';
import { useNotify, useTranslate } from 'react-admin';
import { AskDialog, ReasonInput } from '../../look/ask-dialog';
import { useAction } from '../../look/use-action';
import { client } from '../../service/client';
import type { Said } from './conversation';

/**
 * Takes the text away, once a reason was typed: it cannot be undone. That it is gone is then told by the room itself, as
 * to all others.
 */
export function RedactDialog({ room, said, onEnd }: { room: string; said: Said; onEnd(): void }) {
  const translate = useTranslate();
  const notify = useNotify();
  const [reason, setReason] = useState('');
  const { act, busy, error } = useAction(
    (options) =>
      client.call(
        'redactMessage',
        {
          params: { id: room, messageId: said.id },
          body: { reason: reason.trim() },
        },
        options,
      ),
    () => {
      notify('verbatim.talk.redact_done');
      onEnd();
    },
  );
  return (
    <AskDialog
      title={translate('verbatim.talk.redact_title')}
      text={translate('verbatim.talk.redact_text')}
      action={translate('verbatim.talk.redact')}
      color="error"
      ready={reason.trim() !== ''}
      busy={busy}
      error={error}
      onSubmit={() => act()}
      onEnd={onEnd}
    >
      <Typography
        component="blockquote"
        sx={{ my: 2, mx: 0, pl: 2, borderLeft: 3, borderColor: 'divider', overflowWrap: 'anywhere' }}
      >
        <bdi>{said.author.displayName || said.author.username}</bdi>: <bdi>{said.text?.slice(0, 300)}</bdi>
      </Typography>
      <ReasonInput value={reason} onChange={setReason} />
    </AskDialog>
  );
}
