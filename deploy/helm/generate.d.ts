/** The text of each generated file, by its path in the chart. */
export function generate(): Promise<Record<string, string>>;

/** The defaults that a schema of values declares. */
export function defaultsOf(schema: unknown): unknown;
