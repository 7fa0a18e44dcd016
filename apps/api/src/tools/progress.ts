import { SingleBar } from 'cli-progress';

export interface Progress {
  /** What is being done, in one word. */
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  /** What has been done already, in a few words. */
  readonly note: string;
}

export interface ProgressDisplay {
  show(progress: Progress): void;
  end(): void;
}

/** Shows on standard error how far something is: a bar in a terminal, a line for every tenth part in logs and pipes. */
export const progressDisplay = (): ProgressDisplay => (process.stderr.isTTY ? bar() : lines());

function bar(): ProgressDisplay {
  const format = '{phase} {bar} {percentage}% | {note} | {eta_formatted} to go';
  const shown = new SingleBar({ format, stream: process.stderr, hideCursor: true, etaBuffer: 500 });
  let current = '';
  const show = ({ phase, done, total, note }: Progress) => {
    if (phase !== current) {
      shown.stop();
      shown.start(total, done, { phase, note });
    } else shown.update(done, { phase, note });
    current = phase;
  };
  return { show, end: () => shown.stop() };
}

function lines(): ProgressDisplay {
  let current = '';
  let last = -1;
  const show = ({ phase, done, total, note }: Progress) => {
    const percent = total === 0 ? 100 : Math.floor((done / total) * 10) * 10;
    if (phase === current && percent <= last) return;
    process.stderr.write(`${phase}: ${percent} % (${note})\n`);
    current = phase;
    last = percent;
  };
  return { show, end: () => undefined };
}
