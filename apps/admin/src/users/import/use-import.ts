import { useRef, useState } from 'react';
import { resetAddress } from '../../reset/reset-address';
import { client } from '../../service/client';
import { codeOf, shown } from '../../service/failure';
import { upTo } from '../../service/pages';
import { sensitive } from '../../service/proof';
import { addLink } from './links';
import { type PersonRow, readPeople, type Wish } from './people-rows';

/** The state of a line. `link` is where the person chooses a password; `reason` a sentence or the key of one. */
export type Outcome =
  | { readonly is: 'ready' | 'there' | 'working' }
  | { readonly is: 'wrong' | 'failed'; readonly reason: string }
  | { readonly is: 'made'; readonly link: string };

export interface Entry extends PersonRow {
  readonly outcome: Outcome;
}

/** Usernames that are looked for at a time. */
const TOGETHER = 100;
/** Milliseconds for one account: the service lets only so many be made in a minute, and the rest waits for its turn. */
const PATIENCE = 120_000;

type State = 'choosing' | 'looking' | 'ready' | 'running' | 'over';

/** Reads a file of people, previews the accounts, and creates them one after the other. */
export function useImport() {
  const [entries, setEntries] = useState<readonly Entry[]>([]);
  const [state, setState] = useState<State>('choosing');
  const [refusal, setRefusal] = useState<string | null>(null);
  const stopped = useRef(false);

  const choose = async (file: File) => {
    setRefusal(null);
    setEntries([]);
    setState('looking');
    try {
      const reading = readPeople(await file.text());
      if ('refused' in reading) throw new Error(reading.refused);
      setEntries(await dryRun(reading.rows));
      setState('ready');
    } catch (error) {
      setRefusal((error as Error).message);
      setState('choosing');
    }
  };

  const run = async () => {
    stopped.current = false;
    setState('running');
    for (const { line, wish, outcome } of entries) {
      if (stopped.current) break;
      if (!wish || !['ready', 'failed'].includes(outcome.is)) continue;
      const note = (now: Outcome) =>
        setEntries((all) => all.map((entry) => (entry.line === line ? { ...entry, outcome: now } : entry)));
      note({ is: 'working' });
      note(await make(wish));
    }
    setState('over');
  };

  const stop = () => {
    stopped.current = true;
  };
  return { entries, state, refusal, choose, run, stop };
}

/** A preview of each line. People with an account are skipped, so an import can be resumed. */
async function dryRun(rows: readonly PersonRow[]): Promise<Entry[]> {
  const names = rows.flatMap(({ wish }) => (wish ? [wish.username] : []));
  const taken = new Set<string>();
  for (let i = 0; i < names.length; i += TOGETHER) {
    const usernames = names.slice(i, i + TOGETHER).join(',');
    const { items } = await shown(
      upTo(TOGETHER, (part) => client.call('listUsers', { query: { usernames, ...part } })),
    );
    for (const { username } of items) taken.add(username.toLowerCase());
  }
  const outcomeOf = ({ wish, problem }: PersonRow): Outcome => {
    if (!wish) return { is: 'wrong', reason: problem ?? '' };
    return { is: taken.has(wish.username.toLowerCase()) ? 'there' : 'ready' };
  };
  return rows.map((row) => ({ ...row, outcome: outcomeOf(row) }));
}

async function make(wish: Wish): Promise<Outcome> {
  try {
    const options = { deadlineMs: PATIENCE };
    const { passwordReset } = await shown(sensitive(() => client.call('createUser', { body: wish }, options)));
    const link = resetAddress(passwordReset.token);
    addLink(wish.username, link);
    return { is: 'made', link };
  } catch (error) {
    if (codeOf(error) === 'name_taken') return { is: 'there' };
    return { is: 'failed', reason: (error as Error).message };
  }
}
