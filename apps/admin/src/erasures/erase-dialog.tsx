import { Alert, Box, MenuItem, TextField, Typography } from '@mui/material';
import { erasureGrounds } from '@verbatim/protocol';
import { useState } from 'react';
import { useNotify, useRedirect, useTranslate } from 'react-admin';
import { AskDialog, ReasonInput } from '../look/ask-dialog';
import { useAction } from '../look/use-action';
import { client } from '../service/client';
import { isolated } from '../words/isolated';
import { DaysInput, type Span } from './days-input';

/** What is to be forgotten. `name` is what the person, room or author is called. */
export type ToErase =
  | { readonly kind: 'person'; readonly person: string; readonly name: string; readonly username: string }
  | { readonly kind: 'room' | 'days'; readonly room: string; readonly name: string }
  | { readonly kind: 'message'; readonly room: string; readonly message: string; readonly name: string };

type Ground = (typeof erasureGrounds)[number];

/** Asks for an erasure: on what ground and why, having said what goes and what stays. It leads to the page of the erasure. */
export function EraseDialog({ of, onEnd }: { of: ToErase; onEnd(): void }) {
  const translate = useTranslate();
  const notify = useNotify();
  const redirect = useRedirect();
  const { kind, name } = of;
  const [ground, setGround] = useState<Ground | ''>('');
  const [reason, setReason] = useState('');
  const [days, setDays] = useState<Span | null>(null);
  const { act, busy, error } = useAction(
    (options) => {
      const body = { ...scopeOf(of, days), ground: ground || ('other' as const), reason: reason.trim() };
      return client.call('requestErasure', { body }, options);
    },
    ({ id }) => {
      notify('verbatim.erasures.requested', { type: 'success' });
      onEnd();
      redirect('show', 'erasures', id);
    },
  );
  return (
    <AskDialog
      title={translate(`verbatim.erasures.title_${kind}`, { name: isolated(name) })}
      action={translate('verbatim.erasures.erase')}
      color="error"
      typed={kind === 'person' ? of.username : (kind !== 'message' && name) || translate('verbatim.erasures.word')}
      ready={ground !== '' && reason.trim() !== '' && (kind !== 'days' || days !== null)}
      busy={busy}
      error={error}
      meanings={{ conflict: `verbatim.erasures.conflict_${kind}` }}
      onSubmit={() => act()}
      onEnd={onEnd}
    >
      {kind === 'days' && <DaysInput most="yesterday" onChange={setDays} />}
      <Consequences of={of} />
      <GroundInput value={ground} onChange={setGround} />
      <ReasonInput value={reason} help="verbatim.erasures.reason_help" first={false} onChange={setReason} />
    </AskDialog>
  );
}

function scopeOf(of: ToErase, days: Span | null) {
  switch (of.kind) {
    case 'person':
      return { person: of.person };
    case 'room':
      return { room: of.room };
    case 'days':
      return { room: of.room, ...days };
    case 'message':
      return { room: of.room, message: of.message };
  }
}

/** What goes, and what nobody can take back. */
function Consequences({ of }: { of: ToErase }) {
  const translate = useTranslate();
  const ofOne = of.kind === 'person' || of.kind === 'message';
  const stays = [
    ...(of.kind === 'person' ? [translate('verbatim.erasures.stays_username', { username: of.username })] : []),
    ...[ofOne ? 'quotes' : 'elsewhere', 'facts', 'copies'].map((what) => translate(`verbatim.erasures.stays_${what}`)),
  ];
  return (
    <>
      <Alert severity="warning" sx={{ mb: 2 }}>
        {translate(`verbatim.erasures.goes_${of.kind}`)} {translate('verbatim.erasures.for_good')}
      </Alert>
      <Typography variant="h2">{translate('verbatim.erasures.stays')}</Typography>
      <Box component="ul" sx={{ mt: 0.5, pl: 3, overflowWrap: 'anywhere' }}>
        {stays.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </Box>
      <Alert severity="info" sx={{ mb: 1 }}>
        {translate('verbatim.erasures.backups')}
      </Alert>
    </>
  );
}

function GroundInput({ value, onChange }: { value: Ground | ''; onChange(ground: Ground): void }) {
  const translate = useTranslate();
  return (
    <TextField
      select
      label={translate('verbatim.erasures.ground')}
      value={value}
      onChange={({ target }) => onChange(target.value as Ground)}
      margin="normal"
      required
      fullWidth
      autoFocus
    >
      {erasureGrounds.map((ground) => (
        <MenuItem key={ground} value={ground}>
          {translate(`verbatim.ground.${ground}`)}
        </MenuItem>
      ))}
    </TextField>
  );
}
