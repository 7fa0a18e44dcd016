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
import { useState } from 'react';
import { Button, useDataProvider, useListContext, useRefresh, useTranslate } from 'react-admin';
import { client } from '../service/client';
import { shown } from '../service/failure';
import { nameOf } from './name-of';

/** What is done to each, as a call of the API. */
const acts = {
  suspend: (id: string) => client.call('changeUser', { params: { id }, body: { suspended: true } }),
  reinstate: (id: string) => client.call('changeUser', { params: { id }, body: { suspended: false } }),
  sign_out: (id: string) => client.call('endSessions', { params: { id } }),
};
type Act = keyof typeof acts;
type Outcome = { is: 'waiting' | 'working' | 'done' } | { is: 'failed'; reason: string };

/** Suspends, reinstates or signs out all selected people, and tells of each what became of it. */
export function BulkActs() {
  const [act, setAct] = useState<Act | null>(null);
  const { selectedIds, data = [], onUnselectItems } = useListContext<User>();
  const [chosen, setChosen] = useState<User[]>([]);
  const dataProvider = useDataProvider();
  const refresh = useRefresh();
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
  const { outcomes, state, run } = useBulk(act, people);
  const done = people.filter(({ id }) => outcomes[id]?.is === 'done').length;
  return (
    <Dialog
      open
      fullWidth
      maxWidth="sm"
      onClose={() => state !== 'running' && onEnd(state === 'over')}
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
        <List dense aria-live="polite">
          {people.map((person) => (
            <ListItem key={person.id} disableGutters>
              <ListItemText
                primary={nameOf(person)}
                secondary={state === 'asking' ? person.username : told(outcomes[person.id], translate)}
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
            <MuiButton onClick={() => onEnd(false)} disabled={state === 'running'}>
              {translate('verbatim.cancel')}
            </MuiButton>
            <MuiButton
              onClick={run}
              disabled={state === 'running'}
              color={act === 'reinstate' ? 'primary' : 'error'}
              autoFocus
            >
              {translate(`verbatim.users.${act}`)}
            </MuiButton>
          </>
        )}
      </DialogActions>
    </Dialog>
  );
}

function told(outcome: Outcome = { is: 'waiting' }, translate: ReturnType<typeof useTranslate>): string {
  return translate(`verbatim.users.${outcome.is}`, outcome.is === 'failed' ? { reason: outcome.reason } : {});
}

/** Does one after the other: a list of some thousand people must not be a flood for the service. */
function useBulk(act: Act, people: User[]) {
  const [outcomes, setOutcomes] = useState<Record<string, Outcome>>({});
  const [state, setState] = useState<'asking' | 'running' | 'over'>('asking');
  const note = (id: string, outcome: Outcome) => setOutcomes((all) => ({ ...all, [id]: outcome }));
  const run = async () => {
    setState('running');
    for (const { id } of people) {
      note(id, { is: 'working' });
      try {
        await shown(acts[act](id));
        note(id, { is: 'done' });
      } catch (error) {
        note(id, { is: 'failed', reason: (error as Error).message });
      }
    }
    setState('over');
  };
  return { outcomes, state, run };
}
