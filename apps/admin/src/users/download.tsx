import DownloadIcon from '@mui/icons-material/Download';
import { type Client, VerbatimError } from '@verbatim/client';
import type { Problem } from '@verbatim/protocol';
import { Button, useListContext } from 'react-admin';
import { saveAs } from '../look/save-as';
import { useAction } from '../look/use-action';
import { apiUrl, client } from '../service/client';
import { usersWanted } from './users-source';

/** Downloads all people that the filters of the list let through, as the service writes them. */
export function DownloadButton() {
  const { filterValues } = useListContext();
  const { act, busy } = useAction(
    ({ signal }) => peopleFile(client, filterValues, signal),
    (file) => saveAs(file, 'people.csv'),
    'notify failures',
  );
  return (
    <Button label="verbatim.users.download" onClick={() => act()} disabled={busy}>
      <DownloadIcon />
    </Button>
  );
}

/**
 * The client waits ten seconds for an answer and keeps it as a text; a file of many people takes longer, and is better left to
 * the browser to keep.
 */
async function peopleFile(client: Client, filter: Record<string, string>, signal: AbortSignal): Promise<Blob> {
  // Renews the session if it is time to.
  await client.call('getMe');
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(usersWanted(filter))) if (value !== undefined) query.set(name, value);
  const response = await fetch(`${apiUrl}/v1/users/export?${query}`, {
    signal,
    headers: { accept: 'text/csv', authorization: `Bearer ${client.savedSession?.accessToken}` },
  });
  if (!response.ok) throw VerbatimError.of((await response.json()) as Problem);
  return response.blob();
}
