import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { Guardian } from './guardian.testing.js';
import type { Order, Word } from './replica.testing.js';

/** Milliseconds between an end of the process and the next start. */
const PAUSE_MS = 300;
/** Characters of what it prints that are kept. */
const KEPT = 200_000;

const built = fileURLToPath(new URL('../../../dist/', import.meta.url));

/** Puts `replica.testing.ts`, compiled, beside links to the built service in a new folder; answers the program's path. */
export async function compileReplica(parent: string): Promise<string> {
  const folder = await mkdtemp(join(parent, 'replica-'));
  for (const name of await readdir(built)) if (name !== 'tests') await symlink(join(built, name), join(folder, name));
  const packages = createRequire(import.meta.url).resolve('typescript/package.json');
  await symlink(join(packages, '../..'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await mkdir(join(folder, 'tests', 'faults'), { recursive: true });
  const source = await readFile(new URL('./replica.testing.ts', import.meta.url), 'utf8');
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
  const program = join(folder, 'tests', 'faults', 'replica.testing.js');
  await writeFile(program, ts.transpileModule(source, { compilerOptions }).outputText);
  return program;
}

/** A replica that can be killed, stopped and given a wrong time; unless it is to stay down, it is started again. */
export class ReplicaProcess {
  /** Ends that nobody asked for, of a process that had been ready. */
  readonly surprises: string[] = [];
  /** Starts that failed, as they do while the database is away. */
  failedStarts = 0;
  private child: ChildProcess | null = null;
  private url: string | null = null;
  private doors: Word['doors'] = {};
  private wanted = false;
  /** It was asked to stop, so its end is expected. */
  private doomed = false;
  private clockAhead = 0;
  private printed = '';

  constructor(
    private readonly name: string,
    private readonly program: string,
    private readonly environment: Readonly<Record<string, string>>,
    private readonly guardian: Guardian,
  ) {}

  /** Where it is reached, another with each start; null until it serves. */
  get port(): number | null {
    return this.url ? Number(new URL(this.url).port) : null;
  }

  /** Where a door is reached that has a listener of its own; null until it serves. */
  portOf(door: string): number | null {
    const address = this.url ? this.doors[door] : undefined;
    return address === undefined ? null : Number(new URL(address).port);
  }

  /** The last of what it printed. */
  get output(): string {
    return this.printed;
  }

  start(): void {
    this.wanted = true;
    if (this.child) return;
    const child = spawn(process.execPath, [this.program, String(this.clockAhead)], {
      env: { ...process.env, PORT: '0', RATE_LIMITS: 'off', LOG_LEVEL: 'error', ...this.environment },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.child = child;
    this.doomed = false;
    this.guardian.guard(child.pid);
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => this.note(text));
    child.on('message', ({ ready, doors }: Word) => {
      this.url = ready;
      this.doors = doors;
      // The clock may have been set while it was starting.
      this.setClock(this.clockAhead);
    });
    child.on('error', (error) => this.note(error.message));
    child.once('exit', (code, signal) => this.ended(code, signal));
  }

  /** SIGKILL; answers whether there was a process to kill. It stays down until `start`. */
  kill(): boolean {
    this.wanted = false;
    this.doomed = true;
    return this.child?.kill('SIGKILL') ?? false;
  }

  /** SIGSTOP, and SIGCONT. Answers whether there was a process. */
  standStill(): boolean {
    return this.child?.kill('SIGSTOP') ?? false;
  }
  goOn(): void {
    this.child?.kill('SIGCONT');
  }

  /** Sets how many milliseconds its clock is ahead. Returns whether there was a process to notify. */
  setClock(clockAhead: number): boolean {
    this.clockAhead = clockAhead;
    if (!this.child?.connected) return false;
    // A process that has just died does not receive it; the next one gets it at its start.
    return this.child.send({ clockAhead } satisfies Order, () => {});
  }
  moveClock(by: number): boolean {
    return this.setClock(this.clockAhead + by);
  }

  /** SIGKILL for good; resolves when it is gone. */
  async end(): Promise<void> {
    const { child } = this;
    if (this.kill() && child) await once(child, 'exit');
  }

  private ended(code: number | null, signal: NodeJS.Signals | null): void {
    if (!this.doomed) {
      if (this.url) this.surprises.push(`the ${this.name} replica ended by itself (${signal ?? code})`);
      else this.failedStarts++;
    }
    this.guardian.release(this.child?.pid);
    this.child = null;
    this.url = null;
    setTimeout(() => {
      if (this.wanted) this.start();
    }, PAUSE_MS);
  }

  private note(text: string): void {
    this.printed = `${this.printed}${text}`.slice(-KEPT);
  }
}
