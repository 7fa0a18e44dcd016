import HoldIcon from '@mui/icons-material/Gavel';
import { FormControl, FormControlLabel, FormLabel, Radio, RadioGroup } from '@mui/material';
import type { Room, User } from '@verbatim/protocol';
import { useId, useState } from 'react';
import { Button, useCanAccess, useNotify, useTranslate } from 'react-admin';
import { DaysInput, type Span } from '../erasures/days-input';
import { AskDialog, ReasonInput } from '../look/ask-dialog';
import { useAction } from '../look/use-action';
import { FindRoom } from '../rooms/find-room';
import { FindPerson } from '../rooms/members/add-member';
import { client } from '../service/client';

const kinds = ['person', 'room', 'days'] as const;
type Kind = (typeof kinds)[number];

/** Places a hold, on the person or room given or on one that is chosen. */
export function PlaceHoldButton(given: { person?: User; room?: Room }) {
  const [asking, setAsking] = useState(false);
  const { canAccess } = useCanAccess({ resource: 'holds', action: 'create' });
  if (!canAccess) return null;
  return (
    <>
      <Button label="verbatim.holds.place" onClick={() => setAsking(true)}>
        <HoldIcon />
      </Button>
      {asking && <HoldDialog {...given} onEnd={() => setAsking(false)} />}
    </>
  );
}

function HoldDialog({ onEnd, ...given }: { person?: User; room?: Room; onEnd(): void }) {
  const translate = useTranslate();
  const notify = useNotify();
  const [kind, setKind] = useState<Kind>(given.room ? 'room' : 'person');
  const [person, setPerson] = useState<User | null>(given.person ?? null);
  const [room, setRoom] = useState<Room | null>(given.room ?? null);
  const [days, setDays] = useState<Span | null>(null);
  const [reason, setReason] = useState('');
  const scope = scopeOf(kind, person, room, days);
  const { act, busy, error } = useAction(
    (options) => client.call('placeHold', { body: { ...scope, reason: reason.trim() } }, options),
    () => {
      notify('verbatim.holds.placed', { type: 'success' });
      onEnd();
    },
  );
  return (
    <AskDialog
      title={translate('verbatim.holds.place_title')}
      text={translate('verbatim.holds.place_text')}
      action={translate('verbatim.holds.place')}
      ready={scope !== null && reason.trim() !== ''}
      busy={busy}
      error={error}
      onSubmit={() => act()}
      onEnd={onEnd}
    >
      {!given.person && <KindInput kinds={given.room ? ['room', 'days'] : kinds} value={kind} onChange={setKind} />}
      {kind === 'person' ? (
        <FindPerson person={person} label="verbatim.subject.person" onFound={setPerson} />
      ) : (
        <FindRoom room={room} label="verbatim.subject.room" onFound={setRoom} />
      )}
      {kind === 'days' && <DaysInput onChange={setDays} />}
      <ReasonInput
        value={reason}
        help="verbatim.holds.reason_help"
        first={given.person !== undefined}
        onChange={setReason}
      />
    </AskDialog>
  );
}

/** The scope of the hold; null while it is incomplete. */
function scopeOf(kind: Kind, person: User | null, room: Room | null, days: Span | null) {
  if (kind === 'person') return person && { person: person.id };
  if (!room) return null;
  return kind === 'room' ? { room: room.id } : days && { room: room.id, ...days };
}

function KindInput(props: { kinds: readonly Kind[]; value: Kind; onChange(kind: Kind): void }) {
  const translate = useTranslate();
  const id = useId();
  return (
    <FormControl sx={{ mt: 1 }}>
      <FormLabel id={id}>{translate('verbatim.holds.kind')}</FormLabel>
      <RadioGroup
        row
        aria-labelledby={id}
        value={props.value}
        onChange={({ target }) => props.onChange(target.value as Kind)}
      >
        {props.kinds.map((kind) => (
          <FormControlLabel
            key={kind}
            value={kind}
            control={<Radio autoFocus={kind === props.value} />}
            label={translate(`verbatim.subject.${kind}`)}
          />
        ))}
      </RadioGroup>
    </FormControl>
  );
}
