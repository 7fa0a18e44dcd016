import BlockIcon from '@mui/icons-material/Block';
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
import { nameOf } from './name-of';

type Act = 'suspend' | 'reinstate';
type Outcome = { is: 'waiting' | 'working' | 'done' } | { is: 'failed'; reason: string };

/** Suspends or reinstates all selected people, and tells of each what became of it. */
export function BulkStanding() {
  const [act, setAct] = useState<Act | null>(null);
  const { selectedIds, data = [], onUnselectItems } = useListContext<User>();
  const [chosen, setChosen] = useState<User[]>([]);
  const refresh = useRefresh();
  const begin = (wanted: Act) => {
    setChosen(data.filter(({ id }) => selectedIds.includes(id)));
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
          <MuiButton onClick={() => onEnd(true)}>{translate('verbatim.close')}</MuiButton>
        ) : (
          <>
            <MuiButton onClick={() => onEnd(false)} disabled={state === 'running'}>
              {translate('verbatim.cancel')}
            </MuiButton>
            <MuiButton
              onClick={run}
              disabled={state === 'running'}
              color={act === 'suspend' ? 'error' : 'primary'}
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
  const dataProvider = useDataProvider();
  const [outcomes, setOutcomes] = useState<Record<string, Outcome>>({});
  const [state, setState] = useState<'asking' | 'running' | 'over'>('asking');
  const note = (id: string, outcome: Outcome) => setOutcomes((all) => ({ ...all, [id]: outcome }));
  const run = async () => {
    setState('running');
    for (const { id } of people) {
      note(id, { is: 'working' });
      try {
        await dataProvider.update('users', { id, data: { suspended: act === 'suspend' }, previousData: {} });
        note(id, { is: 'done' });
      } catch (error) {
        note(id, { is: 'failed', reason: (error as Error).message });
      }
    }
    setState('over');
  };
  return { outcomes, state, run };
}
