import {
  Alert,
  FormControl,
  FormControlLabel,
  FormLabel,
  MenuItem,
  Radio,
  RadioGroup,
  Switch,
  TextField,
} from '@mui/material';
import type { Room } from '@verbatim/protocol';
import { type ReactElement, useId, useState } from 'react';
import { Button, useNotify, useTranslate } from 'react-admin';
import { AskDialog, ReasonInput } from '../look/ask-dialog';
import { useAction } from '../look/use-action';
import { FindRoom } from '../rooms/find-room';
import { client } from '../service/client';
import { DryRun } from './dry-run';
import { RoomsOf, type Rule } from './rooms-of';

/** The most days that a rule may name: 100 years. */
const MOST_DAYS = 36_525;
const kinds = ['server', 'visibility', 'room'] as const;
type Kind = (typeof kinds)[number];
type Visibility = Room['visibility'];
const visibilities: readonly Visibility[] = ['public', 'private', 'hidden', 'direct'];

/** Sets a new rule, or another number of days for the rooms of one that is in force. */
export function RuleButton({ label, rule, children }: { label: string; rule?: Rule; children: ReactElement }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button label={label} onClick={() => setAsking(true)}>
        {children}
      </Button>
      {asking && <RuleDialog {...(rule && { rule })} onEnd={() => setAsking(false)} />}
    </>
  );
}

function RuleDialog({ rule, onEnd }: { rule?: Rule; onEnd(): void }) {
  const translate = useTranslate();
  const notify = useNotify();
  const [scope, setScope] = useState<Scope | null>(rule ? scopeOf(rule) : {});
  const [days, setDays] = useState(`${rule?.days ?? ''}`);
  const [forGood, setForGood] = useState(rule?.days === null);
  const [reason, setReason] = useState('');
  const wanted = forGood ? null : daysIn(days);
  const { act, busy, error } = useAction(
    (options) =>
      client.call('setRetentionRule', { body: { ...scope, days: wanted ?? null, reason: reason.trim() } }, options),
    () => {
      notify('verbatim.retention.set', { type: 'success' });
      onEnd();
    },
  );
  return (
    <AskDialog
      title={translate(rule ? 'verbatim.retention.edit_title' : 'verbatim.retention.new_title')}
      text={rule ? <RoomsOf rule={rule} /> : translate('verbatim.retention.specific')}
      action={translate('verbatim.retention.put_in_force')}
      color={forGood ? 'primary' : 'error'}
      {...(!forGood && { typed: translate('verbatim.erasures.word') })}
      ready={scope !== null && wanted !== undefined && reason.trim() !== ''}
      busy={busy}
      error={error}
      meanings={{ conflict: 'verbatim.retention.too_many' }}
      onSubmit={() => act()}
      onEnd={onEnd}
    >
      {!rule && <ScopeInput onChange={setScope} />}
      <FormControlLabel
        control={<Switch checked={forGood} onChange={(_, on) => setForGood(on)} />}
        label={translate('verbatim.retention.for_good')}
      />
      {!forGood && (
        <>
          <DaysField value={days} first={rule !== undefined} onChange={setDays} />
          <DryRun
            {...(scope && wanted ? { supposed: { ...scope, days: wanted } } : {})}
            disabled={!scope || wanted === undefined}
          />
          <Alert severity="warning" sx={{ mt: 2 }}>
            {translate('verbatim.retention.warning')}
          </Alert>
        </>
      )}
      <ReasonInput value={reason} help="verbatim.retention.reason_help" first={false} onChange={setReason} />
    </AskDialog>
  );
}

/** Of which rooms: of one, of all of a visibility, or of all. */
interface Scope {
  readonly room?: string;
  readonly visibility?: Visibility;
}

const scopeOf = ({ room, visibility }: Rule): Scope => ({
  ...(room !== null && { room }),
  ...(visibility !== null && { visibility }),
});

/** Undefined: it is not a number of days. */
function daysIn(text: string): number | undefined {
  const days = Number(text);
  return Number.isInteger(days) && days >= 1 && days <= MOST_DAYS ? days : undefined;
}

function DaysField({ value, first, onChange }: { value: string; first: boolean; onChange(days: string): void }) {
  const translate = useTranslate();
  return (
    <TextField
      type="number"
      label={translate('verbatim.retention.days')}
      helperText={translate('verbatim.retention.days_help')}
      value={value}
      onChange={({ target }) => onChange(target.value)}
      error={value !== '' && daysIn(value) === undefined}
      slotProps={{ htmlInput: { min: 1, max: MOST_DAYS, step: 1 } }}
      margin="normal"
      required
      fullWidth
      autoFocus={first}
    />
  );
}

/** Asks which rooms the rule is about. Calls `onChange` with null as long as a room is missing. */
function ScopeInput({ onChange }: { onChange(scope: Scope | null): void }) {
  const translate = useTranslate();
  const id = useId();
  const [kind, setKind] = useState<Kind>('server');
  const [visibility, setVisibility] = useState<Visibility>('public');
  const [room, setRoom] = useState<Room | null>(null);
  const choose = (next: { kind?: Kind; visibility?: Visibility; room?: Room | null }) => {
    const now = { kind, visibility, room, ...next };
    setKind(now.kind);
    setVisibility(now.visibility);
    setRoom(now.room);
    if (now.kind === 'server') onChange({});
    else if (now.kind === 'visibility') onChange({ visibility: now.visibility });
    else onChange(now.room && { room: now.room.id });
  };
  return (
    <FormControl fullWidth sx={{ mt: 1 }}>
      <FormLabel id={id}>{translate('verbatim.retention.rooms')}</FormLabel>
      <RadioGroup
        row
        aria-labelledby={id}
        value={kind}
        onChange={({ target }) => choose({ kind: target.value as Kind })}
      >
        {kinds.map((each) => (
          <FormControlLabel
            key={each}
            value={each}
            control={<Radio autoFocus={each === kind} />}
            label={translate(`verbatim.retention.kind_${each}`)}
          />
        ))}
      </RadioGroup>
      {kind === 'visibility' && (
        <TextField
          select
          label={translate('verbatim.retention.visibility')}
          value={visibility}
          onChange={({ target }) => choose({ visibility: target.value as Visibility })}
          margin="normal"
        >
          {visibilities.map((each) => (
            <MenuItem key={each} value={each}>
              {translate(`verbatim.visibility.${each}`)}
            </MenuItem>
          ))}
        </TextField>
      )}
      {kind === 'room' && (
        <FindRoom room={room} label="verbatim.subject.room" onFound={(found) => choose({ room: found })} />
      )}
    </FormControl>
  );
}
