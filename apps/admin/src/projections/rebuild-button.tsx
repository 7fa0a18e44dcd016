import RebuildIcon from '@mui/icons-material/Autorenew';
import { useMutation } from '@tanstack/react-query';
import type { Projections } from '@verbatim/protocol';
import { useState } from 'react';
import { Button, Confirm, useCanAccess, useNotify, useTranslate } from 'react-admin';
import { client } from '../service/client';
import { shown } from '../service/failure';
import { sensitive } from '../service/proof';

/** Has all read models built anew, once that is confirmed. The dialog stays until it has begun, so the button need not be disabled. */
export function RebuildButton({ onBegun }: { onBegun(projections: Projections): void }) {
  const translate = useTranslate();
  const notify = useNotify();
  const [asking, setAsking] = useState(false);
  const { canAccess } = useCanAccess({ resource: 'projections', action: 'edit' });
  const { mutate, isPending } = useMutation({
    mutationFn: () => shown(sensitive(() => client.call('rebuildProjections'))),
    onSuccess: onBegun,
    onError: (error) => notify(error.message, { type: 'error' }),
    onSettled: () => setAsking(false),
  });
  if (!canAccess) return null;
  return (
    <>
      <Button label="verbatim.projections.rebuild" onClick={() => setAsking(true)}>
        <RebuildIcon />
      </Button>
      <Confirm
        isOpen={asking}
        loading={isPending}
        title={translate('verbatim.projections.rebuild_title')}
        content={translate('verbatim.projections.rebuild_text')}
        confirm={translate('verbatim.projections.rebuild')}
        cancel={translate('verbatim.cancel')}
        onConfirm={() => mutate()}
        onClose={() => setAsking(false)}
      />
    </>
  );
}
