import LiftIcon from '@mui/icons-material/LockOpen';
import type { Hold } from '@verbatim/protocol';
import { useState } from 'react';
import { Button, useCanAccess, useNotify, useTranslate } from 'react-admin';
import { ScopeOf } from '../erasures/scope-of';
import { AskDialog } from '../look/ask-dialog';
import { useAction } from '../look/use-action';
import { client } from '../service/client';

/** Lifts a hold after a typed confirmation: erasures that waited for it then begin, and cannot be undone. */
export function LiftButton({ hold }: { hold: Hold }) {
  const [asking, setAsking] = useState(false);
  const { canAccess } = useCanAccess({ resource: 'holds', action: 'delete' });
  if (!canAccess) return null;
  return (
    <>
      <Button label="verbatim.holds.lift" color="error" onClick={() => setAsking(true)}>
        <LiftIcon />
      </Button>
      {asking && <LiftDialog hold={hold} onEnd={() => setAsking(false)} />}
    </>
  );
}

function LiftDialog({ hold, onEnd }: { hold: Hold; onEnd(): void }) {
  const translate = useTranslate();
  const notify = useNotify();
  const { act, busy, error } = useAction(
    (options) => client.call('liftHold', { params: { id: hold.id } }, options),
    () => {
      notify('verbatim.holds.lifted', { type: 'success' });
      onEnd();
    },
  );
  return (
    <AskDialog
      title={translate('verbatim.holds.lift_title')}
      text={
        <>
          <ScopeOf scope={hold.scope} />: <bdi>{hold.reason ?? '–'}</bdi>. {translate('verbatim.holds.lift_text')}
        </>
      }
      action={translate('verbatim.holds.lift')}
      color="error"
      typed={translate('verbatim.holds.word')}
      busy={busy}
      error={error}
      meanings={{ not_found: 'verbatim.holds.gone' }}
      onSubmit={() => act()}
      onEnd={onEnd}
    />
  );
}
