import { Button, Dialog, DialogActions, DialogContent, DialogContentText, DialogTitle, TextField } from '@mui/material';
import { type FormEvent, useEffect, useState } from 'react';
import { useTranslate } from 'react-admin';
import { Failure } from '../look/failure';
import { client } from '../service/client';
import { shown } from '../service/failure';
import { askForProofsBy } from '../service/proof';

type Answer = (proved: boolean) => void;

/** Asks for the password or a code when a call requires a recent confirmation. */
export function Proofs() {
  const [answer, setAnswer] = useState<Answer | null>(null);
  useEffect(() => {
    askForProofsBy(() => new Promise((resolve) => setAnswer(() => resolve)));
    return () => askForProofsBy(async () => false);
  }, []);
  if (!answer) return null;
  const end = (proved: boolean) => {
    setAnswer(null);
    answer(proved);
  };
  return <ProofDialog onEnd={end} />;
}

function ProofDialog({ onEnd }: { onEnd: Answer }) {
  const translate = useTranslate();
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [refusal, setRefusal] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    // Inputs here must not submit a form behind the dialog.
    event.stopPropagation();
    setBusy(true);
    setRefusal(null);
    try {
      const body = { ...(password && { password }), ...(code && { code: code.trim() }) };
      await shown(client.call('stepUp', { body }));
      onEnd(true);
    } catch (error) {
      setRefusal(error);
      setBusy(false);
    }
  };
  return (
    <Dialog open onClose={() => onEnd(false)} fullWidth maxWidth="xs" aria-labelledby="proof-title">
      <form onSubmit={submit}>
        <DialogTitle id="proof-title">{translate('verbatim.proof.title')}</DialogTitle>
        <DialogContent>
          <DialogContentText>{translate('verbatim.proof.text')}</DialogContentText>
          <Failure error={refusal} meanings={{ forbidden: 'verbatim.proof.wrong' }} sx={{ mt: 2 }} />
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
          <TextField
            label={translate('verbatim.sign_in.code')}
            helperText={translate('verbatim.proof.either')}
            value={code}
            onChange={({ target }) => setCode(target.value)}
            autoComplete="one-time-code"
            margin="normal"
            fullWidth
          />
        </DialogContent>
        <DialogActions>
          <Button onClick={() => onEnd(false)}>{translate('verbatim.cancel')}</Button>
          <Button type="submit" variant="contained" disabled={busy || (!password && !code)}>
            {translate('verbatim.proof.go')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
