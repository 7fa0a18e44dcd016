import { VerbatimError } from '@verbatim/client';
import type { Problem } from '@verbatim/protocol';
import { apiUrl, client } from './client';
import { observedFetch } from './connection';

/**
 * A file that the service writes. The client waits ten seconds for an answer and keeps it as a text; a large file takes longer,
 * and is better left to the browser to keep.
 */
export async function fileFrom(
  path: string,
  wanted: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
  accept = 'text/csv',
): Promise<Blob> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(wanted)) if (value !== undefined) query.set(name, value);
  return (await answerAt(`${path}?${query}`, { signal, headers: { accept } })).blob();
}

/** A text that the service publishes beside its API, such as the checkpoint of the log. */
export const textFrom = async (path: string): Promise<string> =>
  (await answerAt(path, { headers: { accept: 'text/plain' } })).text();

/** The service's response to the signed-in person; throws refusals. */
export async function answerAt(path: string, { headers, ...request }: RequestInit): Promise<Response> {
  // Renews the session if it is time to.
  await client.call('getMe');
  const response = await observedFetch(`${apiUrl}${path}`, {
    ...request,
    headers: { ...headers, authorization: `Bearer ${client.savedSession?.accessToken}` },
  });
  if (!response.ok) throw VerbatimError.of((await response.json()) as Problem);
  return response;
}
