import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../storage/embedded-postgres/embedded-postgres.js';
import type { Guardian } from './guardian.testing.js';

/** Milliseconds between an end of PostgreSQL, or a start that failed, and the next start. */
const PAUSE_MS = 300;

/** Milliseconds in which it is to take connections again once there is room on its disk. */
const RECOVERY_MS = 15_000;

/** More files of the write-ahead log than it keeps in reserve. */
const FILES = 8;

/** Segments as small and few as they come, so that a full disk is felt soon. */
const settings = { max_wal_size: '64MB', min_wal_size: '32MB', max_connections: '100' };

/**
 * A PostgreSQL that can be killed as a crash does it. Whatever ends it, it is started again: at once, as a
 * service manager would, or when `start` is called after a `kill`.
 */
export class DatabaseProcess {
  /** What it and its keeper had to say. */
  readonly lines: string[] = [];
  private running: EmbeddedPostgres | null = null;
  private wanted = true;
  private starting: Promise<void> | null = null;

  private constructor(
    private readonly folder: string,
    private readonly guardian: Guardian,
  ) {}

  /** Its files are in `folder` or, all but the locks of its keeper, on the disk mounted at `disk`. */
  static async start(folder: string, guardian: Guardian, disk?: string): Promise<DatabaseProcess> {
    await mkdir(folder, { mode: 0o700 });
    if (disk) await makeOn(disk, folder);
    const database = new DatabaseProcess(folder, guardian);
    await database.start();
    return database;
  }

  /** Another one with each start; null while it is down. */
  get port(): number | null {
    return this.running ? Number(new URL(this.running.url).port) : null;
  }

  /** While it is up. */
  get url(): string {
    if (!this.running) throw new Error('the database is down');
    return this.running.url;
  }

  /** Resolves when it is up, however many attempts that takes: a full disk, for one, lets it start only later. */
  start(): Promise<void> {
    this.wanted = true;
    this.starting ??= this.tryToStart().finally(() => {
      this.starting = null;
    });
    return this.starting;
  }

  /** SIGKILL to the postmaster and to all its processes, in whatever they are doing. Answers whether it was up. */
  async kill(): Promise<boolean> {
    this.wanted = false;
    const pid = this.running?.pid;
    if (!pid) return false;
    const { stdout } = await promisify(execFile)('pgrep', ['-P', String(pid)]).catch(() => ({ stdout: '' }));
    let killed = false;
    for (const each of [pid, ...stdout.split('\n').map(Number)]) killed = killNow(each) || killed;
    return killed;
  }

  /** Has it begun new files of its write-ahead log until, on a full disk, it can make none any more and gives up. */
  async useUpLog(): Promise<void> {
    if (!this.running) return;
    const sql = postgres(this.url, { max: 1, connect_timeout: 1, onnotice: () => {} });
    const useUp = async () => {
      for (let file = 0; file < FILES; file++) {
        await sql`select pg_logical_emit_message(true, 'faults', 'a little of the log'), pg_switch_wal()`;
      }
    };
    await useUp().catch((error: Error) => this.note(`the log was used up: ${error.message}`));
    await sql.end({ timeout: 1 });
  }

  /**
   * Waits until it takes connections, now that there is room on its disk again. PostgreSQL 18 may stand still for ever when
   * the disk was full during its recovery; it is then killed and started again, as an operator would.
   */
  async recover(): Promise<void> {
    for (const deadline = performance.now() + RECOVERY_MS; performance.now() < deadline; ) {
      if (await this.takesConnections()) return;
      await sleep(PAUSE_MS);
    }
    this.note('It does not come back by itself after the disk was full.');
    await this.kill();
    await this.start();
  }

  async stop(): Promise<void> {
    this.wanted = false;
    await this.starting;
    await this.running?.stop();
    this.guardian.release(this.running?.pid);
  }

  private async takesConnections(): Promise<boolean> {
    if (!this.running) return false;
    const sql = postgres(this.url, { max: 1, connect_timeout: 1, onnotice: () => {} });
    const answered = sql`select 1`.then(
      () => true,
      () => false,
    );
    return answered.finally(() => sql.end({ timeout: 0 }));
  }

  private async tryToStart(): Promise<void> {
    while (this.wanted && !this.running) {
      try {
        this.watch(await startEmbeddedPostgres(this.folder, { log: (line) => this.note(line), settings }));
      } catch (error) {
        this.note((error as Error).message);
        await sleep(PAUSE_MS);
      }
    }
  }

  private watch(database: EmbeddedPostgres): void {
    this.running = database;
    this.guardian.guard(database.pid);
    void database.exited.then(async ({ code, signal }) => {
      this.note(`PostgreSQL has ended (${signal ?? code})`);
      this.running = null;
      this.guardian.release(database.pid);
      await database.stop();
      await sleep(PAUSE_MS);
      if (this.wanted) await this.start();
    });
  }

  private note(line: string): void {
    this.lines.push(`${new Date().toISOString()} ${line}`);
  }
}

/** Makes the database on the disk, and leads to it from the folder: on a full disk its keeper could not write its locks. */
async function makeOn(disk: string, folder: string): Promise<void> {
  const made = join(disk, 'database');
  await (await startEmbeddedPostgres(made)).stop();
  await symlink(join(made, 'postgres'), join(folder, 'postgres'));
}

function killNow(pid: number): boolean {
  if (!pid) return false;
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    return false;
  }
}
