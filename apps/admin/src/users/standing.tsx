import BlockIcon from '@mui/icons-material/Block';
import RestoreIcon from '@mui/icons-material/Restore';
import type { User } from '@verbatim/protocol';
import { useState } from 'react';
import { Button, useCanAccess, useNotify, useRecordContext, useTranslate } from 'react-admin';
import { AskDialog, ReasonInput } from '../look/ask-dialog';
import { useAction } from '../look/use-action';
import { client } from '../service/client';
import { nameOf } from './name-of';

/** Suspends the person of the page for a reason, or reinstates them, once that is confirmed. */
export function StandingButton() {
  const user = useRecordContext<User>();
  const [asking, setAsking] = useState(false);
  const { canAccess } = useCanAccess({ resource: 'users', action: 'edit' });
  if (!user || !canAccess || user.id === client.user?.id) return null;
  const { suspended } = user;
  return (
    <>
      <Button
        label={suspended ? 'verbatim.users.reinstate' : 'verbatim.users.suspend'}
        color={suspended ? 'primary' : 'error'}
        onClick={() => setAsking(true)}
      >
        {suspended ? <RestoreIcon /> : <BlockIcon />}
      </Button>
      {asking && <StandingDialog user={user} onEnd={() => setAsking(false)} />}
    </>
  );
}

function StandingDialog({ user, onEnd }: { user: User; onEnd(): void }) {
  const translate = useTranslate();
  const notify = useNotify();
  const [reason, setReason] = useState('');
  // The question stays the same even after the person has changed.
  const [act] = useState<'suspend' | 'reinstate'>(user.suspended ? 'reinstate' : 'suspend');
  const suspends = act === 'suspend';
  const name = nameOf(user);
  const params = { id: user.id };
  const action = useAction(
    (options) =>
      client.call(
        'changeUser',
        { params, body: suspends ? { suspended: true, reason: reason.trim() } : { suspended: false } },
        options,
      ),
    () => {
      notify(suspends ? 'verbatim.users.suspended' : 'verbatim.users.reinstated', { messageArgs: { name } });
      onEnd();
    },
  );
  return (
    <AskDialog
      title={translate(`verbatim.users.${act}_title`, { name })}
      text={translate(`verbatim.users.${act}_text`)}
      action={translate(`verbatim.users.${act}`)}
      color={suspends ? 'error' : 'primary'}
      ready={!suspends || reason.trim() !== ''}
      busy={action.busy}
      error={action.error}
      onSubmit={() => action.act()}
      onEnd={onEnd}
    >
      {suspends && <ReasonInput value={reason} onChange={setReason} help="verbatim.users.reason_help" />}
    </AskDialog>
  );
}
