import KeyIcon from '@mui/icons-material/Key';
import { Checkbox, FormControl, FormControlLabel, FormGroup, FormLabel, MenuItem, TextField } from '@mui/material';
import { type NewToken, scopes, type User } from '@verbatim/protocol';
import { useState } from 'react';
import { Button, useTranslate } from 'react-admin';
import { AskDialog } from '../../look/ask-dialog';
import { ShownOnce } from '../../look/shown-once';
import { useAction } from '../../look/use-action';
import { client } from '../../service/client';
import { nameOf } from '../name-of';

type Scope = (typeof scopes)[number];

/** Whose token it is: a bot's, or the signed-in person's. */
type Holder = User | 'me';

/** Makes a token, for a bot or for oneself, and shows it, once. */
export function MakeToken({ holder }: { holder: Holder }) {
  const translate = useTranslate();
  const [asking, setAsking] = useState(false);
  const [made, setMade] = useState<NewToken | null>(null);
  const done = (token: NewToken) => {
    setAsking(false);
    setMade(token);
  };
  return (
    <>
      <Button label="verbatim.token.make" onClick={() => setAsking(true)} sx={{ mb: 1 }}>
        <KeyIcon />
      </Button>
      {asking && <TokenDialog holder={holder} onEnd={() => setAsking(false)} onMade={done} />}
      {made && (
        <ShownOnce
          title={translate('verbatim.token.made', { name: made.name })}
          text={translate(holder === 'me' ? 'verbatim.token.made_own_text' : 'verbatim.token.made_text')}
          label={translate('verbatim.token.token')}
          secret={made.token}
          onEnd={() => setMade(null)}
        />
      )}
    </>
  );
}

/** Days; null: never, for bots only. */
const lives = [30, 90, 365, null] as const;

interface TokenDialogProps {
  readonly holder: Holder;
  onEnd(): void;
  onMade(token: NewToken): void;
}

function TokenDialog({ holder, onEnd, onMade }: TokenDialogProps) {
  const translate = useTranslate();
  const [name, setName] = useState('');
  const [wanted, setWanted] = useState<readonly Scope[]>(['read', 'post']);
  const [days, setDays] = useState<(typeof lives)[number]>(90);
  const { act, busy, error } = useAction((options) => {
    const body = { name: name.trim(), scopes: [...wanted], expiresInDays: days };
    return holder === 'me'
      ? client.call('createToken', { body }, options)
      : client.call('createTokenOf', { params: { id: holder.id }, body }, options);
  }, onMade);
  return (
    <AskDialog
      title={
        holder === 'me'
          ? translate('verbatim.token.make_own_title')
          : translate('verbatim.token.make_title', { name: nameOf(holder) })
      }
      action={translate('verbatim.token.make')}
      ready={name.trim() !== '' && wanted.length > 0}
      busy={busy}
      error={error}
      onSubmit={() => act()}
      onEnd={onEnd}
    >
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
        {lives
          .filter((life) => life !== null || holder !== 'me')
          .map((life) => (
            <MenuItem key={life ?? 'never'} value={life ?? 'never'}>
              {life === null ? translate('verbatim.token.never') : translate('verbatim.token.days', { count: life })}
            </MenuItem>
          ))}
      </TextField>
    </AskDialog>
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
