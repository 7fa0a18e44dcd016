import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { AppendFault, StandIn } from './stand-in.testing.js';

/** What a stand-in in a process of its own is asked to do, and for how many milliseconds where that has a duration. */
export interface Order {
  readonly fault: AppendFault | 'refuse' | 'answer late' | 'drop subscriptions' | 'deliver twice' | 'restart';
  readonly milliseconds: number;
}
/** What it sends its parent, once: its address. */
export type Word = { readonly url: string };

export const obey = (standIn: StandIn, { fault, milliseconds }: Order): void => faults[fault](standIn, milliseconds);

const faults: Readonly<Record<Order['fault'], (standIn: StandIn, milliseconds: number) => void>> = {
  'answer lost': (standIn) => standIn.failNextAppend('answer lost'),
  'call lost': (standIn) => standIn.failNextAppend('call lost'),
  'passed over': (standIn) => standIn.failNextAppend('passed over'),
  'answer late': (standIn, milliseconds) => standIn.answerLate(milliseconds),
  'drop subscriptions': (standIn) => standIn.dropSubscriptions(),
  'deliver twice': (standIn) => standIn.duplicate(),
  refuse: (standIn, milliseconds) => standIn.refuse(milliseconds),
  restart: (standIn, milliseconds) => standIn.restart(milliseconds),
};

/** A stand-in in a process of its own, which ends with ours. */
export class StandInProcess {
  static async start(): Promise<StandInProcess> {
    const main = fileURLToPath(new URL('./stand-in-process.main.testing.ts', import.meta.url));
    const vite = pathToFileURL(fileURLToPath(import.meta.resolve('vite'))).href;
    const script = `
      const { runnerImport } = await import(${JSON.stringify(vite)});
      await runnerImport(${JSON.stringify(main)}, { configFile: false, logLevel: 'error' });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const [word] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [Word | number | null];
    if (typeof word !== 'object' || !word) throw new Error(`The stand-in ended with ${word}.`);
    return new StandInProcess(child, word.url);
  }

  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  get pid(): number | undefined {
    return this.child.pid;
  }

  order(order: Order): void {
    this.child.send(order);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}
