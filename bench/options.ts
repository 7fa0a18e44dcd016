/** How long and how large, from the environment. */
export const options = {
  /** Rounds of which the median is taken. */
  rounds: number('ROUNDS', 5),
  /** How long a round puts its load. */
  seconds: number('SECONDS', 6),
  /** Letters of the workloads to run; all, if empty. */
  only: (process.env.ONLY ?? '').split(',').filter((letter) => letter !== ''),
  /** Messages in the largest room of the big log; two others have a tenth and a thousandth of them. */
  bigRoom: number('BENCH_EVENTS', 1_000_000),
  /** Connections that do nothing. */
  connections: number('CONNECTIONS', 4_000),
  /** How long memory is watched under load. */
  minutes: number('MINUTES', 10),
};

function number(name: string, otherwise: number): number {
  const value = Number(process.env[name] || otherwise);
  if (!(value > 0)) throw new Error(`${name} is to be a number above 0.`);
  return value;
}
