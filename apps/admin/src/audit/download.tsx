import DownloadIcon from '@mui/icons-material/Download';
import { Button, useListContext } from 'react-admin';
import { saveAs } from '../look/save-as';
import { useAction } from '../look/use-action';
import { fileFrom } from '../service/file';
import { entriesWanted } from './audit-source';

/** Downloads everything that the filters of the list let through, as the service writes it. */
export function DownloadButton() {
  const { filterValues } = useListContext();
  const { act, busy } = useAction(
    ({ signal }) => fileFrom('/v1/audit/export', entriesWanted(filterValues), signal),
    (file) => saveAs(file, 'audit-trail.csv'),
    'notify failures',
  );
  return (
    <Button label="verbatim.users.download" onClick={() => act()} disabled={busy}>
      <DownloadIcon />
    </Button>
  );
}
