import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { emptyRoot } from '@verbatim/transparency';
import { freePort } from '../../tests/harness/free-port.testing.js';

const VERSION = 'v0.6.1';
const BUILD_MS = 600_000;
const folder = join(homedir(), '.cache', 'verbatim-tools');

/** The path of `litewitness`, built once for all runs; null, with one line of output, if that is not possible. */
export function obtainLitewitness(): string | null {
  for (const tool of ['ssh-agent', 'ssh-add', 'ssh-keygen', 'sqlite3'])
    if (spawnSync('which', [tool]).status !== 0) return without(`there is no ${tool}`);
  const program = join(folder, 'litewitness');
  if (existsSync(program)) return program;
  if (spawnSync('go', ['version']).status !== 0) return without('Go is not installed');
  mkdirSync(folder, { recursive: true });
  const env = { ...process.env, GOBIN: folder };
  const from = `filippo.io/torchwood/cmd/litewitness@${VERSION}`;
  const built = spawnSync('nice', ['-n', '10', 'go', 'install', from], { env, timeout: BUILD_MS, cwd: tmpdir() });
  return built.status === 0 ? program : without('it could not be built');
}

function without(reason: string): null {
  console.warn(`Tests with litewitness were left out: ${reason}.`);
  return null;
}

/** A third-party witness, with a key in its own ssh-agent. */
export class Litewitness {
  private constructor(
    private readonly place: string,
    private readonly port: number,
    private readonly processes: readonly ChildProcess[],
    /** As printed by the program itself. */
    readonly verifierKey: string,
  ) {}

  static async start(program: string): Promise<Litewitness> {
    const place = await mkdtemp(join(tmpdir(), 'verbatim-witness-'));
    const [agentSocket, key] = [join(place, 'agent'), join(place, 'key')];
    const port = await freePort();
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const agent = spawn('ssh-agent', ['-D', '-a', agentSocket], { stdio: 'ignore' });
    await until(() => existsSync(agentSocket));
    execFileSync('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: agentSocket } });
    const fingerprint =
      execFileSync('ssh-keygen', ['-lf', `${key}.pub`])
        .toString()
        .split(' ')[1] ?? '';
    const args = ['-name', 'witness.example/lite', '-key', fingerprint, '-ssh-agent', agentSocket];
    const witness = spawn(program, [...args, '-listen', `127.0.0.1:${port}`, '-db', join(place, 'db')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let printed = '';
    for (const stream of [witness.stdout, witness.stderr]) stream.on('data', (data) => (printed += data));
    await until(() => printed.includes('listening'));
    const verifierKey = /vkey=(\S+)/.exec(printed)?.[1] ?? '';
    return new Litewitness(place, port, [witness, agent], verifierKey);
  }

  /** The value for AUDIT_WITNESSES. */
  get setting(): string {
    return `${this.verifierKey} http://127.0.0.1:${this.port}`;
  }

  /** Registers a log, which its own tool does where that can be built. */
  addLog(origin: string, key: string): void {
    this.sql(`insert into log values ('${origin}', 0, '${emptyRoot.toString('base64')}')`);
    this.sql(`insert into key values ('${origin}', '${key}')`);
  }

  /** The size of the newest checkpoint of a log that it has cosigned. */
  sizeOf(origin: string): number {
    return Number(this.sql(`select tree_size from log where origin = '${origin}'`));
  }

  async stop(): Promise<void> {
    for (const child of this.processes) {
      if (child.exitCode !== null) continue;
      child.kill();
      await once(child, 'exit');
    }
    await rm(this.place, { recursive: true, force: true });
  }

  private sql(statement: string): string {
    return execFileSync('sqlite3', ['-cmd', '.timeout 5000', join(this.place, 'db'), statement])
      .toString()
      .trim();
  }
}

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 15_000; !holds(); ) {
    if (Date.now() > deadline) throw new Error('The witness did not start.');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
