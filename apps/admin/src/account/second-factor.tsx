import RenewIcon from '@mui/icons-material/Autorenew';
import OffIcon from '@mui/icons-material/PhonelinkErase';
import { Alert, Button, Stack, TextField, Typography } from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import type { TotpStatus } from '@verbatim/protocol';
import { useState } from 'react';
import { useNotify, useTranslate } from 'react-admin';
import { AskDialog } from '../look/ask-dialog';
import { ConfirmedButton } from '../look/confirmed-button';
import { Failure } from '../look/failure';
import { useAction } from '../look/use-action';
import { client } from '../service/client';
import { shown } from '../service/failure';
import { RecoveryCodes } from './recovery-codes';
import SecondFactorSetUp from './second-factor-set-up';

/** Recovery codes below which new ones are suggested. */
const FEW = 3;

/** One's own second factor: sets it up, gives fresh recovery codes, and turns it off. */
export function SecondFactor() {
  const [settingUp, setSettingUp] = useState(false);
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const { data, error, refetch } = useQuery({
    queryKey: ['my second factor'],
    queryFn: () => shown(client.call('getTotp')),
  });
  if (error) return <Failure error={error} />;
  if (!data) return null;
  const end = () => {
    setSettingUp(false);
    setCodes(null);
    void refetch();
  };
  if (settingUp) return <SecondFactorSetUp onDone={end} />;
  if (codes) return <RecoveryCodes codes={codes} onKept={end} />;
  return data.enabled ? (
    <On status={data} onCodes={setCodes} onOff={end} />
  ) : (
    <Off required={data.required} onBegin={() => setSettingUp(true)} />
  );
}

function Off({ required, onBegin }: { required: boolean; onBegin(): void }) {
  const translate = useTranslate();
  return (
    <Stack spacing={2} sx={{ alignItems: 'start' }}>
      <Alert severity={required ? 'warning' : 'info'}>
        {translate(required ? 'verbatim.own.factor_required' : 'verbatim.own.factor_off')}
      </Alert>
      <Button variant="contained" onClick={onBegin}>
        {translate('verbatim.own.set_up')}
      </Button>
    </Stack>
  );
}

interface OnProps {
  readonly status: TotpStatus;
  onCodes(codes: readonly string[]): void;
  onOff(): void;
}

function On({ status: { recoveryCodesLeft, required }, onCodes, onOff }: OnProps) {
  const translate = useTranslate();
  const [asking, setAsking] = useState(false);
  return (
    <Stack spacing={2} sx={{ alignItems: 'start' }}>
      <Alert severity="success">{translate('verbatim.own.factor_on')}</Alert>
      <Typography color={recoveryCodesLeft < FEW ? 'error' : undefined}>
        {translate('verbatim.own.codes_left', { smart_count: recoveryCodesLeft })}
      </Typography>
      <Stack direction="row" useFlexGap spacing={1} sx={{ flexWrap: 'wrap' }}>
        <ConfirmedButton
          label="verbatim.own.renew_codes"
          icon={<RenewIcon />}
          title={translate('verbatim.own.renew_title')}
          text={translate('verbatim.own.renew_text')}
          perform={(options) => client.call('renewRecoveryCodes', {}, options)}
          onDone={({ recoveryCodes }) => onCodes(recoveryCodes)}
        />
        {!required && (
          <Button size="small" color="error" startIcon={<OffIcon />} onClick={() => setAsking(true)}>
            {translate('verbatim.own.turn_off')}
          </Button>
        )}
      </Stack>
      {required && <Typography color="textSecondary">{translate('verbatim.own.cannot_turn_off')}</Typography>}
      {asking && <TurnOff onDone={onOff} onEnd={() => setAsking(false)} />}
    </Stack>
  );
}

function TurnOff({ onDone, onEnd }: { onDone(): void; onEnd(): void }) {
  const translate = useTranslate();
  const notify = useNotify();
  const [password, setPassword] = useState('');
  const { act, busy, error } = useAction(
    (options) => client.call('removeTotp', { body: { password } }, options),
    () => {
      notify('verbatim.own.turned_off');
      onEnd();
      onDone();
    },
  );
  return (
    <AskDialog
      title={translate('verbatim.own.turn_off_title')}
      text={translate('verbatim.own.turn_off_text')}
      action={translate('verbatim.own.turn_off')}
      color="error"
      ready={password !== ''}
      busy={busy}
      error={error}
      meanings={{ forbidden: 'verbatim.own.wrong_password' }}
      onSubmit={() => act()}
      onEnd={onEnd}
    >
      <TextField
        type="password"
        label={translate('ra.auth.password')}
        value={password}
        onChange={({ target }) => setPassword(target.value)}
        autoComplete="current-password"
        margin="normal"
        fullWidth
        autoFocus
      />
    </AskDialog>
  );
}
