import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import ts from 'typescript';

export interface ServiceOptions {
  /** A process group of its own, as a shell gives it to a program in the foreground. */
  ownGroup?: boolean;
  uid?: number;
  port?: number;
  /** Shell scripts that the service finds in place of the system's programs of these names. */
  programs?: Record<string, string>;
}

/** One line of output of `service.testing.ts`. */
export interface Fact {
  starting?: number;
  ready?: { url: string; pid: number };
  exited?: unknown;
  refused?: string;
}

export interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Compiles this folder for Node, which cannot run it as it is; returns the new folder. */
export async function compileService(): Promise<string> {
  const compiled = await mkdtemp(join(tmpdir(), 'verbatim-service-'));
  const sources = (await readdir(import.meta.dirname)).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'),
  );
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
  for (const name of sources) {
    const { outputText } = ts.transpileModule(await readFile(join(import.meta.dirname, name), 'utf8'), {
      compilerOptions,
    });
    await writeFile(join(compiled, name.replace(/ts$/, 'js')), outputText);
  }
  await writeFile(join(compiled, 'package.json'), '{ "type": "module" }');
  const packages = dirname(dirname(createRequire(import.meta.url).resolve('typescript/package.json')));
  await symlink(packages, join(compiled, 'node_modules'));
  await chmod(compiled, 0o755);
  return compiled;
}

/** A service in a process of its own, on the folder given. */
export class ServiceProcess {
  readonly said: Fact[] = [];
  readonly ended: Promise<End>;
  /** Its standard error, including PostgreSQL's log. */
  errors = '';
  private readonly child: ChildProcess;
  private readonly listeners = new Set<() => void>();

  static async start(compiled: string, folder: string, options: ServiceOptions = {}): Promise<ServiceProcess> {
    const programs = await writePrograms(compiled, options.programs ?? {});
    return new ServiceProcess(compiled, folder, `${programs}:${process.env.PATH}`, options);
  }

  private constructor(compiled: string, folder: string, PATH: string, { ownGroup = false, uid, port }: ServiceOptions) {
    const args = [join(compiled, 'service.testing.js'), folder, ...(port ? [String(port)] : [])];
    this.child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: ownGroup,
      env: { ...process.env, PATH },
      ...(uid && { uid, gid: uid }),
    });
    this.ended = once(this.child, 'exit').then(([code, signal]) => ({ code, signal }));
    this.child.stderr?.on('data', (chunk) => {
      this.errors += chunk;
    });
    if (this.child.stdout) createInterface({ input: this.child.stdout }).on('line', (line) => this.receive(line));
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** Whichever comes first: ready or refused. */
  outcome(): Promise<Fact> {
    return this.fact((fact) => !!fact.ready || !!fact.refused);
  }

  async ready(): Promise<{ url: string; pid: number }> {
    const { ready, refused } = await this.outcome();
    if (!ready) throw new Error(`The service did not start: ${refused}`);
    return ready;
  }

  /** Once its own code runs. */
  async starting(): Promise<void> {
    await this.fact((fact) => !!fact.starting);
  }

  /** Sends a signal that terminates it, unless it has already exited, and waits for the exit. */
  kill(signal: NodeJS.Signals): Promise<End> {
    this.child.kill(signal);
    return this.ended;
  }

  private async fact(isWanted: (fact: Fact) => boolean): Promise<Fact> {
    const gone = once(this.child, 'close').then(() => 'gone');
    for (;;) {
      const found = this.said.find(isWanted);
      if (found) return found;
      const news = new Promise<void>((resolve) => this.listeners.add(resolve));
      if ((await Promise.race([news, gone])) === 'gone' && !this.said.some(isWanted)) {
        throw new Error(`The service exited without output.\n${this.errors}`);
      }
    }
  }

  private receive(line: string): void {
    this.said.push(JSON.parse(line));
    for (const listener of this.listeners) listener();
    this.listeners.clear();
  }
}

async function writePrograms(compiled: string, programs: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(compiled, 'programs-'));
  await chmod(folder, 0o755);
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return folder;
}
