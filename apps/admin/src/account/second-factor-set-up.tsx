import { Box, Button, Link, Stack, TextField, Typography } from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslate } from 'react-admin';
import { Failure } from '../look/failure';
import { useAction } from '../look/use-action';
import { client } from '../service/client';
import { shown } from '../service/failure';
import { sensitive } from '../service/proof';
import { QrCode } from './qr-code';
import { RecoveryCodes } from './recovery-codes';

/** Sets up a second factor: the secret for an authenticator app, the first code as confirmation, and recovery codes. */
export default function SecondFactorSetUp({ onDone }: { onDone(): void }) {
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  if (codes) return <RecoveryCodes codes={codes} onKept={onDone} />;
  return <Authenticator onConfirmed={setCodes} />;
}

function Authenticator({ onConfirmed }: { onConfirmed(codes: readonly string[]): void }) {
  const translate = useTranslate();
  const { data, error, refetch } = useQuery({
    queryKey: ['new second factor'],
    queryFn: () => shown(sensitive(() => client.call('beginTotp'))),
    // Each time another secret is made; the one that is shown must stay the one that is confirmed.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
  });
  if (error) {
    return (
      <Stack spacing={2} sx={{ alignItems: 'start' }}>
        <Failure error={error} />
        <Button variant="outlined" onClick={() => void refetch()}>
          {translate('verbatim.page.again')}
        </Button>
      </Stack>
    );
  }
  if (!data) return null;
  return (
    <Box>
      <Typography>{translate('verbatim.own.scan')}</Typography>
      <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 3, my: 2, alignItems: 'center' }}>
        <QrCode text={data.uri} label={translate('verbatim.own.qr')} />
        <Box sx={{ flex: '1 1 220px', minWidth: 0 }}>
          <Typography variant="body2" color="textSecondary">
            {translate('verbatim.own.secret')}
          </Typography>
          <Typography component="code" sx={{ fontFamily: 'monospace', overflowWrap: 'anywhere' }}>
            {data.secret.replace(/(.{4})(?=.)/g, '$1 ')}
          </Typography>
          <Typography sx={{ mt: 1 }}>
            <Link href={data.uri}>{translate('verbatim.own.open_app')}</Link>
          </Typography>
        </Box>
      </Box>
      <FirstCode onConfirmed={onConfirmed} />
    </Box>
  );
}

function FirstCode({ onConfirmed }: { onConfirmed(codes: readonly string[]): void }) {
  const translate = useTranslate();
  const [code, setCode] = useState('');
  const { act, busy, error } = useAction(
    (options) => client.call('confirmTotp', { body: { code: code.trim() } }, options),
    ({ recoveryCodes }) => onConfirmed(recoveryCodes),
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!busy) act();
  };
  return (
    <Box component="form" onSubmit={submit}>
      <Failure error={error} meanings={{ forbidden: 'verbatim.own.wrong_code' }} sx={{ mb: 1 }} />
      <TextField
        label={translate('verbatim.sign_in.code')}
        helperText={translate('verbatim.own.first_code')}
        value={code}
        onChange={({ target }) => setCode(target.value)}
        autoComplete="one-time-code"
        slotProps={{ htmlInput: { inputMode: 'numeric', maxLength: 40 } }}
        margin="normal"
        fullWidth
        required
      />
      <Button type="submit" variant="contained" disabled={busy || code.trim().length < 6}>
        {translate('verbatim.own.turn_on')}
      </Button>
    </Box>
  );
}
