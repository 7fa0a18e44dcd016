/** A figure beside its floor in the same run; NaN where there is nothing to measure. */
export interface Row {
  readonly figure: string;
  readonly verbatim: number;
  readonly floor: number;
}

/** What a workload found, and in words what its floor is. */
export interface Section {
  readonly title: string;
  readonly floor: string;
  readonly rows: readonly Row[];
  readonly notes?: readonly string[];
}

/** Puts rounds together: each row of the result is the median of that row in all rounds. */
export function mediansOf(verbatim: readonly Figures[], floor: readonly Figures[]): Row[] {
  const figures = Object.keys(verbatim[0] ?? {});
  const middle = (rounds: readonly Figures[], figure: string) =>
    median(rounds.map((round) => round[figure] ?? Number.NaN));
  return figures.map((figure) => ({ figure, verbatim: middle(verbatim, figure), floor: middle(floor, figure) }));
}

/** Figures of one round by their names, in the order in which they are shown. */
export type Figures = Readonly<Record<string, number>>;

/** The value below which this share of sorted values lies. */
export const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

export const median = (values: readonly number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );

const WIDTH = 56;

/** One table of all sections. A ratio says how many times the floor the figure is. */
export function print(sections: readonly Section[]): void {
  console.log(`\n${line('', 'Verbatim', 'floor', 'ratio')}`);
  for (const { title, floor, rows, notes = [] } of sections) {
    console.log(`\n${title}\n  floor: ${floor}`);
    for (const { figure, verbatim, floor: least } of rows)
      console.log(line(`  ${figure}`, shown(verbatim), shown(least), shown(verbatim / least, 2)));
    for (const note of notes) console.log(`  ${note}`);
  }
  console.log('');
}

const line = (figure: string, ...cells: readonly string[]): string =>
  `${figure.padEnd(WIDTH)}${cells.map((cell) => cell.padStart(12)).join('')}`.trimEnd();

function shown(value: number, digits = Math.abs(value) < 100 ? 2 : 0): string {
  return Number.isFinite(value)
    ? value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
    : '';
}
