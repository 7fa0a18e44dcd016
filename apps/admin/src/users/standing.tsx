import BlockIcon from '@mui/icons-material/Block';
import RestoreIcon from '@mui/icons-material/Restore';
import type { User } from '@verbatim/protocol';
import { useState } from 'react';
import { Button, Confirm, useCanAccess, useNotify, useRecordContext, useTranslate, useUpdate } from 'react-admin';
import { client } from '../service/client';
import { nameOf } from './name-of';

/** Suspends the person of the page, or reinstates them, once that is confirmed. */
export function StandingButton() {
  const user = useRecordContext<User>();
  const translate = useTranslate();
  const notify = useNotify();
  const [asking, setAsking] = useState(false);
  // What was asked about stays what it was, also while the dialog fades and the person has changed already.
  const [act, setAct] = useState<'suspend' | 'reinstate'>('suspend');
  const [update, { isPending }] = useUpdate<User>();
  const { canAccess } = useCanAccess({ resource: 'users', action: 'edit' });
  if (!user || !canAccess || user.id === client.user?.id) return null;

  const next = user.suspended ? 'reinstate' : 'suspend';
  const name = nameOf(user);
  const ask = () => {
    setAct(next);
    setAsking(true);
  };
  const confirmed = () =>
    update(
      'users',
      { id: user.id, data: { suspended: act === 'suspend' }, previousData: user },
      {
        onSuccess: () => notify(`verbatim.users.${act}${act === 'suspend' ? 'ed' : 'd'}`, { messageArgs: { name } }),
        onError: (error) => notify((error as Error).message, { type: 'error' }),
        onSettled: () => setAsking(false),
      },
    );
  return (
    <>
      <Button label={`verbatim.users.${next}`} color={user.suspended ? 'primary' : 'error'} onClick={ask}>
        {user.suspended ? <RestoreIcon /> : <BlockIcon />}
      </Button>
      <Confirm
        isOpen={asking}
        loading={isPending}
        title={translate(`verbatim.users.${act}_title`, { name })}
        content={translate(`verbatim.users.${act}_text`)}
        confirm={translate(`verbatim.users.${act}`)}
        cancel={translate('verbatim.cancel')}
        confirmColor={act === 'reinstate' ? 'primary' : 'warning'}
        onConfirm={confirmed}
        onClose={() => setAsking(false)}
      />
    </>
  );
}
