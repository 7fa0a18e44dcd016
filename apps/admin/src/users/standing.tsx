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
  const [update, { isPending }] = useUpdate<User>();
  const { canAccess } = useCanAccess({ resource: 'users', action: 'edit' });
  if (!user || !canAccess || user.id === client.user?.id) return null;

  const act = user.suspended ? 'reinstate' : 'suspend';
  const name = nameOf(user);
  const confirmed = () =>
    update(
      'users',
      { id: user.id, data: { suspended: !user.suspended }, previousData: user },
      {
        onSuccess: () => notify(`verbatim.users.${act}${act === 'suspend' ? 'ed' : 'd'}`, { messageArgs: { name } }),
        onError: (error) => notify((error as Error).message, { type: 'error' }),
        onSettled: () => setAsking(false),
      },
    );
  return (
    <>
      <Button
        label={`verbatim.users.${act}`}
        color={user.suspended ? 'primary' : 'error'}
        onClick={() => setAsking(true)}
        disabled={isPending}
      >
        {user.suspended ? <RestoreIcon /> : <BlockIcon />}
      </Button>
      <Confirm
        isOpen={asking}
        loading={isPending}
        title={translate(`verbatim.users.${act}_title`, { name })}
        content={translate(`verbatim.users.${act}_text`)}
        confirm={translate(`verbatim.users.${act}`)}
        cancel={translate('verbatim.cancel')}
        confirmColor={user.suspended ? 'primary' : 'warning'}
        onConfirm={confirmed}
        onClose={() => setAsking(false)}
      />
    </>
  );
}
