import RebuildIcon from '@mui/icons-material/Autorenew';
import type { Projections } from '@verbatim/protocol';
import { useCanAccess, useTranslate } from 'react-admin';
import { ConfirmedButton } from '../look/confirmed-button';
import { client } from '../service/client';

/** Rebuilds all read models, after a confirmation. */
export function RebuildButton({ onBegun }: { onBegun(projections: Projections): void }) {
  const translate = useTranslate();
  const { canAccess } = useCanAccess({ resource: 'projections', action: 'edit' });
  if (!canAccess) return null;
  return (
    <ConfirmedButton
      label="verbatim.projections.rebuild"
      icon={<RebuildIcon />}
      title={translate('verbatim.projections.rebuild_title')}
      text={translate('verbatim.projections.rebuild_text')}
      perform={(options) => client.call('rebuildProjections', {}, options)}
      onDone={onBegun}
    />
  );
}
