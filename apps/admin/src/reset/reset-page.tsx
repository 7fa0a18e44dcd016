import { Alert, Button, Typography } from '@mui/material';
import { useState } from 'react';
import { Form, Link, maxLength, minLength, PasswordInput, required, useTranslate } from 'react-admin';
import { useSearchParams } from 'react-router-dom';
import { Failure } from '../look/failure';
import { FrontPage } from '../look/front-page';
import { client } from '../service/client';
import { shown } from '../service/failure';

interface Chosen {
  readonly password: string;
  readonly again: string;
}

/** People with a password link choose a password here, without being signed in. */
export default function ResetPage() {
  const translate = useTranslate();
  const token = useSearchParams()[0].get('token');
  const { state, refusal, choose } = useReset(token ?? '');
  return (
    <FrontPage title="verbatim.reset.title">
      {state === 'done' ? (
        <>
          <Alert severity="success" sx={{ my: 2 }}>
            {translate('verbatim.reset.done')}
          </Alert>
          <Link to="/">{translate('verbatim.reset.to_dashboard')}</Link>
        </>
      ) : token === null ? (
        <Alert severity="error" sx={{ my: 2 }}>
          {translate('verbatim.reset.no_token')}
        </Alert>
      ) : (
        <>
          <Typography color="textSecondary" sx={{ mt: 1, mb: 2 }}>
            {translate('verbatim.reset.lead')}
          </Typography>
          <Failure error={refusal} meanings={{ unauthenticated: 'verbatim.reset.no_token' }} sx={{ mb: 2 }} />
          <PasswordForm busy={state === 'busy'} onChosen={choose} />
        </>
      )}
    </FrontPage>
  );
}

function PasswordForm({ busy, onChosen }: { busy: boolean; onChosen(chosen: Chosen): void }) {
  const translate = useTranslate();
  const same = (again: string, { password }: Chosen) => (again === password ? undefined : 'verbatim.reset.not_same');
  return (
    <Form onSubmit={(values: object) => onChosen(values as Chosen)} noValidate>
      <PasswordInput
        fullWidth
        source="password"
        label="verbatim.reset.password"
        helperText="verbatim.reset.password_help"
        autoComplete="new-password"
        autoFocus
        validate={[required(), minLength(10), maxLength(256)]}
      />
      <PasswordInput
        fullWidth
        source="again"
        label="verbatim.reset.again"
        autoComplete="new-password"
        validate={[required(), same]}
      />
      <Button type="submit" variant="contained" fullWidth disabled={busy} sx={{ mt: 1 }}>
        {translate('verbatim.reset.go')}
      </Button>
    </Form>
  );
}

function useReset(token: string) {
  const [state, setState] = useState<'asking' | 'busy' | 'done'>('asking');
  const [refusal, setRefusal] = useState<unknown>(null);
  const choose = async ({ password }: Chosen) => {
    setState('busy');
    setRefusal(null);
    try {
      await shown(client.call('resetPassword', { body: { token, newPassword: password } }));
      // It is of no use any more, and need not stay in the address.
      history.replaceState(null, '', `${location.pathname}#/reset`);
      setState('done');
    } catch (error) {
      setRefusal(error);
      setState('asking');
    }
  };
  return { state, refusal, choose };
}
