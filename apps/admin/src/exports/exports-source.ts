import { answerAt } from '../service/file';
import type { Source } from '../service/source';

/** A copy of a part of the log, with proofs, that anybody can check. */
export interface Export {
  readonly id: string;
  readonly status: 'queued' | 'running' | 'done' | 'failed';
  readonly progress: { readonly done: number; readonly total: number | null };
  /** Events in the bundle, so far. */
  readonly events: number;
  /** Null until it is done. */
  readonly bytes: number | null;
  /** Why it failed; null when it did not. */
  readonly problem: string | null;
  readonly room: string | null;
  readonly person: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly words: string | null;
  readonly reason: string;
  readonly requestedAt: string;
  readonly finishedAt: string | null;
  /** When the bundle is deleted; null until it is done. */
  readonly expiresAt: string | null;
}

/** What is wanted: events that fit all of what is given. Days are in UTC. */
export interface WantedExport extends Partial<Pick<Export, 'room' | 'person' | 'from' | 'to' | 'words' | 'reason'>> {}

/** One's own exports, the one requested last first. */
export const exportSource: Source<Export> = {
  list: (_, { limit, cursor }) =>
    read(`/v1/exports?${new URLSearchParams({ limit: `${limit}`, ...(cursor && { cursor }) })}`),
  one: (_, id) => read(`/v1/exports/${encodeURIComponent(id)}`),
  async create(_, { room, person, from, to, words, reason }: WantedExport) {
    const wanted = Object.entries({ room, person, from, to, words: words?.trim(), reason: reason?.trim() });
    const body = Object.fromEntries(wanted.filter(([, value]) => value));
    const { id } = await read<{ id: string }>('/v1/exports', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return read(`/v1/exports/${id}`);
  },
};

async function read<T>(path: string, request: RequestInit = {}): Promise<T> {
  return (await answerAt(path, request)).json() as Promise<T>;
}
