import { VerbatimError } from '@verbatim/client';
import type { Problem } from '@verbatim/protocol';
import { apiUrl, client } from './client';

/**
 * A file of comma-separated values that the service writes. The client waits ten seconds for an answer and keeps it as a text;
 * a large file takes longer, and is better left to the browser to keep.
 */
export async function fileFrom(
  path: string,
  wanted: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<Blob> {
  // Renews the session if it is time to.
  await client.call('getMe');
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(wanted)) if (value !== undefined) query.set(name, value);
  const response = await fetch(`${apiUrl}${path}?${query}`, {
    signal,
    headers: { accept: 'text/csv', authorization: `Bearer ${client.savedSession?.accessToken}` },
  });
  if (!response.ok) throw VerbatimError.of((await response.json()) as Problem);
  return response.blob();
}
