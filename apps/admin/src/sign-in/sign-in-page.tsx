import { Alert, Button, Typography } from '@mui/material';
import { useEffect, useState } from 'react';
import {
  Form,
  PasswordInput,
  required,
  TextInput,
  useCheckAuth,
  useLogin,
  useNavigate,
  useTranslate,
} from 'react-admin';
import { FrontPage } from '../look/front-page';
import { NotLetIn, type SignIn } from '../service/auth-provider';
import { endOfSession } from '../service/client';
import { signOnRefusal, signOnUrl, useSignOnLabel } from './single-sign-on';

/** Username and password, and the code of an authenticator once the service asks for it. */
export function SignInPage() {
  const translate = useTranslate();
  useLeaveIfSignedIn();
  const { refusal, codeNeeded, busy, submit } = useSignIn();
  const signOnLabel = useSignOnLabel();
  return (
    <FrontPage title="verbatim.sign_in.title">
      <Typography color="textSecondary" sx={{ mt: 1, mb: 2 }}>
        {translate('verbatim.sign_in.lead')}
      </Typography>
      {!refusal && endOfSession.unwanted && (
        <Alert severity="info" sx={{ mb: 2 }}>
          {translate('verbatim.sign_in.ended')}
        </Alert>
      )}
      {refusal && (
        <Alert severity={codeNeeded && refusal.reason === 'code_needed' ? 'info' : 'error'} sx={{ mb: 2 }}>
          {translate(refusal.message, { _: refusal.message })}
          {refusal.traceId && ` (trace ${refusal.traceId})`}
        </Alert>
      )}
      <Form onSubmit={(values: object) => submit(values as SignIn)} noValidate>
        <TextInput
          fullWidth
          source="username"
          label="ra.auth.username"
          autoComplete="username"
          autoFocus
          validate={required()}
        />
        <PasswordInput
          fullWidth
          source="password"
          label="ra.auth.password"
          autoComplete="current-password"
          validate={required()}
        />
        {codeNeeded && (
          <TextInput
            fullWidth
            source="code"
            label="verbatim.sign_in.code"
            helperText="verbatim.sign_in.code_help"
            autoComplete="one-time-code"
            autoFocus
            validate={required()}
          />
        )}
        <Button type="submit" variant="contained" fullWidth disabled={busy} sx={{ mt: 1 }}>
          {translate('ra.auth.sign_in')}
        </Button>
      </Form>
      {signOnLabel && (
        <Button href={signOnUrl()} variant="outlined" fullWidth sx={{ mt: 2 }}>
          {signOnLabel}
        </Button>
      )}
    </FrontPage>
  );
}

function useSignIn() {
  const login = useLogin();
  const [refusal, setRefusal] = useState(signOnRefusal);
  const [codeNeeded, setCodeNeeded] = useState(false);
  const [busy, setBusy] = useState(false);
  const submit = async (values: SignIn) => {
    setBusy(true);
    setRefusal(null);
    try {
      await login(values);
    } catch (error) {
      const refused = error instanceof NotLetIn ? error : new NotLetIn('unreachable');
      if (refused.reason === 'code_needed') setCodeNeeded(true);
      setRefusal(refused);
    } finally {
      setBusy(false);
    }
  };
  return { refusal, codeNeeded, busy, submit };
}

function useLeaveIfSignedIn() {
  const checkAuth = useCheckAuth();
  const navigate = useNavigate();
  useEffect(() => {
    checkAuth({}, false).then(
      () => navigate('/'),
      () => undefined,
    );
  }, [checkAuth, navigate]);
}
