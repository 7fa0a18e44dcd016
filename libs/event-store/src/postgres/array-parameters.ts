/**
 * Lets postgres.js send arrays of the types below as parameters without having asked the database about
 * its array types, to go with its option `fetch_types: false`. That question is put on each new connection, and a
 * connection lost before the answer ends in a rejection that nobody can catch, which ends the process.
 */
export const arrayParameters = {
  to: 1009,
  /** Type numbers of bool[], int[], text[], bigint[], timestamptz[], uuid[]; the same in every PostgreSQL. */
  from: [1000, 1007, 1009, 1016, 1185, 2951],
  /** A text is taken for an array in PostgreSQL's own notation. */
  serialize: (elements: readonly Element[] | string): string =>
    typeof elements === 'string' ? elements : `{${elements.map(quoted).join(',')}}`,
  /** Arrays in results stay as PostgreSQL writes them. */
  parse: (text: string): string => text,
};

type Element = string | number | bigint | boolean | null;

const quoted = (element: Element): string => {
  if (element === null) return 'NULL';
  return typeof element === 'string' ? `"${element.replace(/[\\"]/g, '\\$&')}"` : `${element}`;
};
