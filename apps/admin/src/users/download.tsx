import DownloadIcon from '@mui/icons-material/Download';
import { Button, useListContext } from 'react-admin';
import { saveAs } from '../look/save-as';
import { useAction } from '../look/use-action';
import { fileFrom } from '../service/file';
import { usersWanted } from './users-source';

/** Downloads all people that the filters of the list let through, as the service writes them. */
export function DownloadButton() {
  const { filterValues } = useListContext();
  const { act, busy } = useAction(
    ({ signal }) => fileFrom('/v1/users/export', usersWanted(filterValues), signal),
    (file) => saveAs(file, 'people.csv'),
    'notify failures',
  );
  return (
    <Button label="verbatim.users.download" onClick={() => act()} disabled={busy}>
      <DownloadIcon />
    </Button>
  );
}
