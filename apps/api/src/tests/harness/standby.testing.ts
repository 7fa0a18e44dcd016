import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../storage/embedded-postgres/embedded-postgres.js';
import { freePort } from './free-port.testing.js';

/** A real PostgreSQL and a standby that it streams to. */
export interface PostgresPair {
  readonly primaryUrl: string;
  readonly standbyUrl: string;
  /** The standby goes on receiving, but shows nothing newer. */
  pauseReplay(): Promise<void>;
  resumeReplay(): Promise<void>;
  stopStandby(): Promise<void>;
  startStandby(): Promise<void>;
  /** Makes the standby a primary of its own. */
  promoteStandby(): Promise<void>;
  stop(): Promise<void>;
}

export async function startPostgresPair(): Promise<PostgresPair> {
  const folder = await mkdtemp(join(tmpdir(), 'verbatim-pair-'));
  const [first, second] = [join(folder, 'primary'), join(folder, 'standby')];
  const [port, standbyPort] = [await freePort(), await freePort()];
  const made = await startEmbeddedPostgres(first, { port });
  await made.stop();
  await cp(join(first, 'postgres'), join(second, 'postgres'), { recursive: true });
  await writeFile(join(second, 'postgres', 'standby.signal'), '');
  const primary = await startEmbeddedPostgres(first, { port });
  const { username, password } = new URL(primary.url);
  const settings = { primary_conninfo: `host=127.0.0.1 port=${port} user=${username} password=${password}` };
  const start = () => startEmbeddedPostgres(second, { port: standbyPort, settings });
  let standby: EmbeddedPostgres | null = await start();
  const standbyUrl = standby.url;
  const onStandby = async (statement: string) => {
    const sql = postgres(standbyUrl, { max: 1 });
    await sql.unsafe(statement).finally(() => sql.end());
  };
  const stopStandby = async () => {
    await standby?.stop();
    standby = null;
  };
  return {
    primaryUrl: primary.url,
    standbyUrl,
    pauseReplay: () => onStandby('select pg_wal_replay_pause()'),
    resumeReplay: () => onStandby('select pg_wal_replay_resume()'),
    stopStandby,
    async startStandby() {
      standby = await start();
    },
    promoteStandby: () => onStandby('select pg_promote()'),
    async stop() {
      await stopStandby();
      await primary.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
