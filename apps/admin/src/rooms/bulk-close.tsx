import CloseIcon from '@mui/icons-material/DoNotDisturbOn';
import {
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogContentText,
  DialogTitle,
  List,
  ListItem,
  ListItemText,
} from '@mui/material';
import type { Room } from '@verbatim/protocol';
import { use, useId, useRef, useState } from 'react';
import { Button as ActionButton, useListContext, useRefresh, useTranslate } from 'react-admin';
import { AskDialog, ReasonInput } from '../look/ask-dialog';
import { ShowUpdate } from '../look/show-update';
import { client } from '../service/client';
import { shown } from '../service/failure';
import { i18nProvider } from '../words/i18n';
import { nameOfRoom } from './name-of-room';

type Outcome = { is: 'waiting' | 'working' | 'done' } | { is: 'failed'; reason: string };
/** By the id of the room. */
type Outcomes = Readonly<Record<string, Outcome>>;

/** Closes all selected rooms for one reason, and shows the outcome for each. */
export function BulkClose() {
  const { selectedIds, data = [], onUnselectItems } = useListContext<Room>();
  const refresh = useRefresh();
  const showUpdate = use(ShowUpdate);
  const [chosen, setChosen] = useState<readonly Room[] | null>(null);
  const end = (changed: boolean) => {
    setChosen(null);
    if (!changed) return;
    onUnselectItems();
    showUpdate();
    refresh();
  };
  return (
    <>
      <ActionButton
        label="verbatim.bulk_close.close"
        color="error"
        onClick={() => setChosen(data.filter(({ id }) => selectedIds.includes(id)))}
      >
        <CloseIcon />
      </ActionButton>
      {chosen && <CloseRooms rooms={chosen} onEnd={end} />}
    </>
  );
}

function CloseRooms({ rooms, onEnd }: { rooms: readonly Room[]; onEnd(changed: boolean): void }) {
  const { outcomes, state, run, stop } = useClosing(rooms);
  return state === 'asking' ? (
    <Ask rooms={rooms} onSure={run} onEnd={() => onEnd(false)} />
  ) : (
    <Progress rooms={rooms} outcomes={outcomes} over={state === 'over'} onStop={stop} onEnd={() => onEnd(true)} />
  );
}

interface AskProps {
  readonly rooms: readonly Room[];
  onSure(reason: string): void;
  onEnd(): void;
}

function Ask({ rooms, onSure, onEnd }: AskProps) {
  const translate = useTranslate();
  const [reason, setReason] = useState('');
  return (
    <AskDialog
      title={translate('verbatim.bulk_close.title', { smart_count: rooms.length })}
      text={translate('verbatim.rooms.close_text')}
      action={translate('verbatim.bulk_close.close')}
      color="error"
      typed={translate('verbatim.bulk_close.typed', { count: rooms.length })}
      ready={reason.trim() !== ''}
      busy={false}
      error={null}
      onSubmit={() => onSure(reason.trim())}
      onEnd={onEnd}
    >
      <List dense>
        {rooms.map((room) => (
          <ListItem key={room.id} disableGutters>
            <ListItemText primary={nameOfRoom(room)} secondary={room.topic} />
          </ListItem>
        ))}
      </List>
      <ReasonInput value={reason} onChange={setReason} />
    </AskDialog>
  );
}

interface ProgressProps {
  readonly rooms: readonly Room[];
  readonly outcomes: Outcomes;
  readonly over: boolean;
  onStop(): void;
  onEnd(): void;
}

function Progress({ rooms, outcomes, over, onStop, onEnd }: ProgressProps) {
  const translate = useTranslate();
  const id = useId();
  const done = rooms.filter((room) => outcomes[room.id]?.is === 'done').length;
  return (
    <Dialog open fullWidth maxWidth="sm" onClose={over ? onEnd : onStop} aria-labelledby={id}>
      <DialogTitle id={id}>{translate('verbatim.bulk_close.title', { smart_count: rooms.length })}</DialogTitle>
      <DialogContent>
        <DialogContentText role="status">
          {over && translate('verbatim.users.bulk_result', { done, all: rooms.length })}
        </DialogContentText>
        <List dense>
          {rooms.map((room) => {
            const outcome = outcomes[room.id] ?? { is: 'waiting' };
            return (
              <ListItem key={room.id} disableGutters>
                <ListItemText
                  primary={nameOfRoom(room)}
                  secondary={translate(`verbatim.users.${outcome.is}`, outcome.is === 'failed' ? outcome : {})}
                  slotProps={{ secondary: { color: outcome.is === 'failed' ? 'error' : 'textSecondary' } }}
                />
              </ListItem>
            );
          })}
        </List>
      </DialogContent>
      <DialogActions>
        {/* Another button once it is over, so that it takes the focus. */}
        <Button key={`${over}`} onClick={over ? onEnd : onStop} autoFocus={over}>
          {translate(over ? 'verbatim.close' : 'verbatim.cancel')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

/** Closes one after the other, so that many rooms are no flood for the service. */
function useClosing(rooms: readonly Room[]) {
  const [outcomes, setOutcomes] = useState<Outcomes>({});
  const [state, setState] = useState<'asking' | 'running' | 'over'>('asking');
  const note = (id: string, outcome: Outcome) => setOutcomes((all) => ({ ...all, [id]: outcome }));
  const control = useRef<AbortController | null>(null);
  const run = async (reason: string) => {
    setState('running');
    control.current = new AbortController();
    const { signal } = control.current;
    for (const { id } of rooms) {
      if (signal.aborted) break;
      note(id, { is: 'working' });
      try {
        await shown(client.call('closeRoom', { params: { id }, body: { reason } }, { signal }));
        note(id, { is: 'done' });
      } catch (error) {
        note(id, { is: 'failed', reason: (error as Error).message });
      }
    }
    setState('over');
  };
  const stop = () => control.current?.abort(new Error(i18nProvider.translate('verbatim.error.cancelled')));
  return { outcomes, state, run, stop };
}
