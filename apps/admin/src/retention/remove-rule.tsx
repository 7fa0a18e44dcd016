import RemoveIcon from '@mui/icons-material/DeleteOutlined';
import { useState } from 'react';
import { Button, useNotify, useTranslate } from 'react-admin';
import { AskDialog, ReasonInput } from '../look/ask-dialog';
import { useAction } from '../look/use-action';
import { client } from '../service/client';
import { RoomsOf, type Rule } from './rooms-of';

/** Removes a rule, with a reason. */
export function RemoveRuleButton({ rule }: { rule: Rule }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button label="verbatim.retention.remove" color="error" onClick={() => setAsking(true)}>
        <RemoveIcon />
      </Button>
      {asking && <RemoveDialog rule={rule} onEnd={() => setAsking(false)} />}
    </>
  );
}

function RemoveDialog({ rule, onEnd }: { rule: Rule; onEnd(): void }) {
  const translate = useTranslate();
  const notify = useNotify();
  const [reason, setReason] = useState('');
  const { act, busy, error } = useAction(
    (options) =>
      client.call('removeRetentionRule', { params: { id: rule.id }, body: { reason: reason.trim() } }, options),
    () => {
      notify('verbatim.retention.removed', { type: 'success' });
      onEnd();
    },
  );
  return (
    <AskDialog
      title={translate('verbatim.retention.remove_title')}
      text={
        <>
          <RoomsOf rule={rule} />. {translate('verbatim.retention.remove_text')}
        </>
      }
      action={translate('verbatim.retention.remove')}
      color="error"
      ready={reason.trim() !== ''}
      busy={busy}
      error={error}
      meanings={{ not_found: 'verbatim.retention.gone' }}
      onSubmit={() => act()}
      onEnd={onEnd}
    >
      <ReasonInput value={reason} help="verbatim.retention.reason_help" onChange={setReason} />
    </AskDialog>
  );
}
