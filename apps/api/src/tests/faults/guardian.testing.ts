import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * What it does when its input ends, which also happens when we are killed. Each line of input names the processes that
 * live at that time; it lives in a session of its own, so that Ctrl-C does not reach it.
 */
const script = `
  trap '' HUP INT TERM
  while read -r line; do pids=$line; done
  for pid in $pids; do kill -KILL "$pid"; done
  umount --lazy "$1/disk"
  rm -rf "$1"`;

/** Clears away after a run, however it ends: kills processes, unmounts the disk, and removes the folder. */
export class Guardian {
  private readonly pids = new Set<number>();
  private readonly child: ChildProcess;

  /** @param folder of the run; a disk may be mounted in it as `disk`. */
  constructor(folder: string) {
    const stdio = ['pipe', 'ignore', 'ignore'] as const;
    this.child = spawn('/bin/sh', ['-c', script, 'guardian', folder], { stdio: [...stdio], detached: true });
    this.child.stdin?.on('error', () => {});
  }

  /** From now on this process ends with us. */
  guard(pid: number | undefined): void {
    if (pid) this.pids.add(pid);
    this.report();
  }

  /** It has ended, and its number may soon be another's. */
  release(pid: number | undefined): void {
    if (pid) this.pids.delete(pid);
    this.report();
  }

  /** Everything was ended in good order; resolves when the folder is gone too. */
  async dismiss(): Promise<void> {
    const gone = once(this.child, 'exit');
    this.child.stdin?.end();
    await gone;
  }

  private report(): void {
    this.child.stdin?.write(`${[...this.pids].join(' ')}\n`);
  }
}
