import DeactivateIcon from '@mui/icons-material/DoNotDisturbOn';
import ResetIcon from '@mui/icons-material/LockReset';
import RemoveFactorIcon from '@mui/icons-material/PhonelinkErase';
import ReactivateIcon from '@mui/icons-material/Restore';
import { Stack, Typography } from '@mui/material';
import type { User } from '@verbatim/protocol';
import { useState } from 'react';
import { useCanAccess, useNotify, useTranslate } from 'react-admin';
import { ErasePersonButton } from '../../erasures/erase-button';
import { PlaceHoldButton } from '../../holds/place-hold';
import { ConfirmedButton } from '../../look/confirmed-button';
import { ShownOnce } from '../../look/shown-once';
import { resetAddress } from '../../reset/reset-address';
import { client } from '../../service/client';
import { nameOf } from '../name-of';

/** What administrators can do with someone else's account. */
export function AccountActs({ user }: { user: User }) {
  const translate = useTranslate();
  const { canAccess } = useCanAccess({ resource: 'users', action: 'edit' });
  if (!canAccess) return null;
  const own = user.id === client.user?.id;
  return (
    <Stack component="section" aria-labelledby="account-acts" spacing={1} sx={{ mt: 3, alignItems: 'start' }}>
      <Typography id="account-acts" variant="h2">
        {translate('verbatim.account.title')}
      </Typography>
      <Stack direction="row" useFlexGap spacing={1} sx={{ flexWrap: 'wrap' }}>
        {!user.bot && <ResetPassword user={user} />}
        {!user.bot && user.secondFactor && <RemoveFactor user={user} />}
        {!own && <Deactivate user={user} />}
        <PlaceHoldButton person={user} />
        <ErasePersonButton user={user} />
      </Stack>
    </Stack>
  );
}

function ResetPassword({ user }: { user: User }) {
  const translate = useTranslate();
  const [token, setToken] = useState<string | null>(null);
  const name = nameOf(user);
  return (
    <>
      <ConfirmedButton
        label="verbatim.account.reset"
        icon={<ResetIcon />}
        title={translate('verbatim.account.reset_title', { name })}
        text={translate('verbatim.account.reset_text')}
        perform={(options) => client.call('issuePasswordReset', { params: { id: user.id } }, options)}
        onDone={(reset) => setToken(reset.token)}
      />
      {token && <ResetLink name={name} token={token} onEnd={() => setToken(null)} />}
    </>
  );
}

/** Shows the password link. */
export function ResetLink({ name, token, onEnd }: { name: string; token: string; onEnd(): void }) {
  const translate = useTranslate();
  return (
    <ShownOnce
      title={translate('verbatim.account.link_title', { name })}
      text={translate('verbatim.account.link_text')}
      label={translate('verbatim.account.link')}
      secret={resetAddress(token)}
      onEnd={onEnd}
    />
  );
}

function RemoveFactor({ user }: { user: User }) {
  const translate = useTranslate();
  const notify = useNotify();
  const name = nameOf(user);
  return (
    <ConfirmedButton
      label="verbatim.account.factor"
      icon={<RemoveFactorIcon />}
      title={translate('verbatim.account.factor_title', { name })}
      text={translate('verbatim.account.factor_text')}
      takesAway
      perform={(options) => client.call('removeTotpOf', { params: { id: user.id } }, options)}
      onDone={() => notify('verbatim.account.factor_removed', { type: 'success', messageArgs: { name } })}
    />
  );
}

function Deactivate({ user }: { user: User }) {
  const translate = useTranslate();
  const notify = useNotify();
  const name = nameOf(user);
  const deactivated = user.status !== 'deactivated';
  const what = deactivated ? 'deactivate' : 'reactivate';
  return (
    <ConfirmedButton
      label={`verbatim.account.${what}`}
      icon={deactivated ? <DeactivateIcon /> : <ReactivateIcon />}
      title={translate(`verbatim.account.${what}_title`, { name })}
      text={translate(`verbatim.account.${what}_text`)}
      takesAway={deactivated}
      perform={(options) => client.call('changeUser', { params: { id: user.id }, body: { deactivated } }, options)}
      onDone={() => notify(`verbatim.account.${what}d`, { type: 'success', messageArgs: { name } })}
    />
  );
}
