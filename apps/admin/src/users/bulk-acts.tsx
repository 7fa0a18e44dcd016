import BlockIcon from '@mui/icons-material/Block';
import LogoutIcon from '@mui/icons-material/Logout';
import RestoreIcon from '@mui/icons-material/Restore';
import {
  Dialog,
  DialogActions,
  DialogContent,
  DialogContentText,
  DialogTitle,
  List,
  ListItem,
  ListItemText,
  Button as MuiButton,
} from '@mui/material';
import type { User } from '@verbatim/protocol';
import { use, useRef, useState } from 'react';
import { Button, useDataProvider, useListContext, useRefresh, useTranslate } from 'react-admin';
import { ReasonInput } from '../look/ask-dialog';
import { ShowUpdate } from '../look/show-update';
import type { Cancellable } from '../look/use-action';
import { client } from '../service/client';
import { shown } from '../service/failure';
import { sensitive } from '../service/proof';
import { i18nProvider } from '../words/i18n';
import { nameOf } from './name-of';

/** The API call for each. */
const acts = {
  suspend: (id: string, options: Cancellable, reason: string) =>
    client.call('changeUser', { params: { id }, body: { suspended: true, reason } }, options),
  reinstate: (id: string, options: Cancellable) =>
    client.call('changeUser', { params: { id }, body: { suspended: false } }, options),
  sign_out: (id: string, options: Cancellable) => client.call('endSessions', { params: { id } }, options),
};
type Act = keyof typeof acts;
type Outcome = { is: 'waiting' | 'working' | 'done' } | { is: 'failed'; reason: string };

/** Suspends, reinstates or signs out all selected people, and shows the outcome for each. */
export function BulkActs() {
  const [act, setAct] = useState<Act | null>(null);
  const { selectedIds, data = [], onUnselectItems } = useListContext<User>();
  const [chosen, setChosen] = useState<User[]>([]);
  const dataProvider = useDataProvider();
  const refresh = useRefresh();
  const showUpdate = use(ShowUpdate);
  const begin = async (wanted: Act) => {
    const here = data.filter(({ id }) => selectedIds.includes(id));
    // People stay selected when the page is turned.
    const ids = selectedIds.filter((id) => !here.some((person) => person.id === id));
    const elsewhere = ids.length > 0 ? (await dataProvider.getMany<User>('users', { ids })).data : [];
    setChosen([...elsewhere, ...here]);
    setAct(wanted);
  };
  const end = (changed: boolean) => {
    setAct(null);
    if (!changed) return;
    onUnselectItems();
    showUpdate();
    refresh();
  };
  return (
    <>
      <Button label="verbatim.users.suspend" onClick={() => begin('suspend')}>
        <BlockIcon />
      </Button>
      <Button label="verbatim.users.reinstate" onClick={() => begin('reinstate')}>
        <RestoreIcon />
      </Button>
      <Button label="verbatim.users.sign_out" onClick={() => begin('sign_out')}>
        <LogoutIcon />
      </Button>
      {act && <BulkDialog act={act} people={chosen} onEnd={end} />}
    </>
  );
}

function BulkDialog({ act, people, onEnd }: { act: Act; people: User[]; onEnd(changed: boolean): void }) {
  const translate = useTranslate();
  const { outcomes, state, run, stop } = useBulk(act, people);
  const [reason, setReason] = useState('');
  const reasonMissing = act === 'suspend' && reason.trim() === '';
  const done = people.filter(({ id }) => outcomes[id]?.is === 'done').length;
  return (
    <Dialog
      open
      fullWidth
      maxWidth="sm"
      onClose={() => (state === 'running' ? stop() : onEnd(state === 'over'))}
      aria-labelledby="bulk-title"
    >
      <DialogTitle id="bulk-title">
        {translate(`verbatim.users.bulk_${act}_title`, { smart_count: people.length })}
      </DialogTitle>
      <DialogContent>
        <DialogContentText>
          {state === 'over'
            ? translate('verbatim.users.bulk_result', { done, all: people.length })
            : translate(`verbatim.users.${act}_text`)}
        </DialogContentText>
        {act === 'suspend' && state === 'asking' && (
          <ReasonInput value={reason} onChange={setReason} help="verbatim.users.reason_help" />
        )}
        <List dense aria-live="polite">
          {people.map((person) => (
            <ListItem key={person.id} disableGutters>
              <ListItemText
                primary={nameOf(person)}
                secondary={state === 'asking' ? person.username : outcomeText(outcomes[person.id], translate)}
                slotProps={{ secondary: { color: outcomes[person.id]?.is === 'failed' ? 'error' : 'textSecondary' } }}
              />
            </ListItem>
          ))}
        </List>
      </DialogContent>
      <DialogActions>
        {state === 'over' ? (
          <MuiButton onClick={() => onEnd(true)} autoFocus>
            {translate('verbatim.close')}
          </MuiButton>
        ) : (
          <>
            <MuiButton onClick={() => (state === 'running' ? stop() : onEnd(false))}>
              {translate('verbatim.cancel')}
            </MuiButton>
            <MuiButton
              onClick={() => run(reason.trim())}
              disabled={state === 'running' || reasonMissing}
              color={act === 'reinstate' ? 'primary' : 'error'}
              autoFocus={act !== 'suspend'}
            >
              {translate(`verbatim.users.${act}`)}
            </MuiButton>
          </>
        )}
      </DialogActions>
    </Dialog>
  );
}

function outcomeText(outcome: Outcome = { is: 'waiting' }, translate: ReturnType<typeof useTranslate>): string {
  return translate(`verbatim.users.${outcome.is}`, outcome.is === 'failed' ? { reason: outcome.reason } : {});
}

/** Does one after the other, until it is stopped: a list of some thousand people must not be a flood for the service. */
function useBulk(act: Act, people: User[]) {
  const [outcomes, setOutcomes] = useState<Record<string, Outcome>>({});
  const [state, setState] = useState<'asking' | 'running' | 'over'>('asking');
  const note = (id: string, outcome: Outcome) => setOutcomes((all) => ({ ...all, [id]: outcome }));
  const control = useRef<AbortController | null>(null);
  const run = async (reason: string) => {
    setState('running');
    control.current = new AbortController();
    const { signal } = control.current;
    for (const { id } of people) {
      if (signal.aborted) break;
      note(id, { is: 'working' });
      try {
        await shown(sensitive(() => acts[act](id, { signal }, reason)));
        note(id, { is: 'done' });
      } catch (error) {
        note(id, {
          is: 'failed',
          reason: i18nProvider.translate((error as Error).message, { _: (error as Error).message }),
        });
      }
    }
    setState('over');
  };
  const stop = () => control.current?.abort(new Error('verbatim.error.cancelled'));
  return { outcomes, state, run, stop };
}
