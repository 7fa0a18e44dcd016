import KeyIcon from '@mui/icons-material/Key';
import {
  Checkbox,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  FormControl,
  FormControlLabel,
  FormGroup,
  FormLabel,
  MenuItem,
  Button as MuiButton,
  TextField,
} from '@mui/material';
import { type NewToken, scopes, type User } from '@verbatim/protocol';
import { type FormEvent, useState } from 'react';
import { Button, useTranslate } from 'react-admin';
import { ShownOnce } from '../../look/shown-once';
import { client } from '../../service/client';
import { useAct } from '../../service/use-act';
import { nameOf } from '../name-of';

type Scope = (typeof scopes)[number];

/** Makes a token for a bot and shows it, once. */
export function MakeToken({ bot, onMade }: { bot: User; onMade(): void }) {
  const translate = useTranslate();
  const [asking, setAsking] = useState(false);
  const [made, setMade] = useState<NewToken | null>(null);
  const done = (token: NewToken) => {
    setAsking(false);
    setMade(token);
    onMade();
  };
  return (
    <>
      <Button label="verbatim.token.make" onClick={() => setAsking(true)} sx={{ mb: 1 }}>
        <KeyIcon />
      </Button>
      {asking && <TokenDialog bot={bot} onEnd={() => setAsking(false)} onMade={done} />}
      {made && (
        <ShownOnce
          title={translate('verbatim.token.made', { name: made.name })}
          text={translate('verbatim.token.made_text')}
          label={translate('verbatim.token.token')}
          secret={made.token}
          onEnd={() => setMade(null)}
        />
      )}
    </>
  );
}

/** Days; null: never. */
const lives = [30, 90, 365, null] as const;

interface TokenDialogProps {
  readonly bot: User;
  onEnd(): void;
  onMade(token: NewToken): void;
}

function TokenDialog({ bot, onEnd, onMade }: TokenDialogProps) {
  const translate = useTranslate();
  const [name, setName] = useState('');
  const [wanted, setWanted] = useState<readonly Scope[]>(['read', 'post']);
  const [days, setDays] = useState<(typeof lives)[number]>(90);
  const { act, busy } = useAct(
    () =>
      client.call('createTokenOf', {
        params: { id: bot.id },
        body: { name: name.trim(), scopes: [...wanted], expiresInDays: days },
      }),
    onMade,
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    act();
  };
  return (
    <Dialog open onClose={onEnd} fullWidth maxWidth="sm" aria-labelledby="make-token-title">
      <form onSubmit={submit}>
        <DialogTitle id="make-token-title">{translate('verbatim.token.make_title', { name: nameOf(bot) })}</DialogTitle>
        <DialogContent>
          <TextField
            label={translate('verbatim.token.name')}
            helperText={translate('verbatim.token.name_help')}
            value={name}
            onChange={({ target }) => setName(target.value)}
            slotProps={{ htmlInput: { maxLength: 80 } }}
            margin="normal"
            fullWidth
            required
            autoFocus
          />
          <Scopes wanted={wanted} onChange={setWanted} />
          <TextField
            select
            label={translate('verbatim.token.expires')}
            value={days ?? 'never'}
            onChange={({ target }) => setDays(lives.find((life) => `${life ?? 'never'}` === `${target.value}`) ?? null)}
            margin="normal"
            sx={{ minWidth: 200 }}
          >
            {lives.map((life) => (
              <MenuItem key={life ?? 'never'} value={life ?? 'never'}>
                {life === null ? translate('verbatim.token.never') : translate('verbatim.token.days', { count: life })}
              </MenuItem>
            ))}
          </TextField>
        </DialogContent>
        <DialogActions>
          <MuiButton onClick={onEnd}>{translate('verbatim.cancel')}</MuiButton>
          <MuiButton type="submit" variant="contained" disabled={busy || !name.trim() || wanted.length === 0}>
            {translate('verbatim.token.make')}
          </MuiButton>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function Scopes({ wanted, onChange }: { wanted: readonly Scope[]; onChange(wanted: readonly Scope[]): void }) {
  const translate = useTranslate();
  return (
    <FormControl component="fieldset" margin="normal" variant="standard">
      <FormLabel component="legend">{translate('verbatim.token.scopes')}</FormLabel>
      <FormGroup>
        {scopes.map((scope) => (
          <FormControlLabel
            key={scope}
            label={`${translate(`verbatim.scope.${scope}`)}: ${translate(`verbatim.scope_help.${scope}`)}`}
            control={
              <Checkbox
                checked={wanted.includes(scope)}
                onChange={(_, on) => onChange(on ? [...wanted, scope] : wanted.filter((one) => one !== scope))}
              />
            }
          />
        ))}
      </FormGroup>
    </FormControl>
  );
}
