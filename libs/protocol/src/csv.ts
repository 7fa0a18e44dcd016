/** Spreadsheets read a file as UTF-8 only if it begins with this. */
const BYTE_ORDER_MARK = '\uFEFF';

/** The beginning of a file of comma-separated values: a byte order mark, and the names of the columns. */
export const csvHeader = (names: readonly string[]): string => BYTE_ORDER_MARK + csvLine(names);

/**
 * A line of comma-separated values (RFC 4180). A cell that a spreadsheet would take for a formula gets an apostrophe in
 * front, which marks it as text; so does one that begins with apostrophes before such a character, so that taking one
 * apostrophe off always restores the cell.
 */
export const csvLine = (cells: readonly string[]): string => `${cells.map(cell).join(',')}\r\n`;

/** Fullwidth characters count: Excel takes them for the plain ones. */
const formula = /^'*[=+\-@\t\r\n＝＋－＠]/;

function cell(text: string): string {
  const harmless = formula.test(text) ? `'${text}` : text;
  return /[",;\r\n]/.test(harmless) || harmless !== harmless.trim() ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/**
 * The cells of all lines of such a text, as people and spreadsheets write it: also with semicolons, with simple line
 * feeds, with a byte order mark, and with empty lines, which are left out. Apostrophes that keep a cell from being a formula
 * are taken off again, so what `csvLine` wrote is read as it was.
 * Null where a quote is not closed, or something stands behind a closing one.
 */
export function csvCells(file: string): string[][] | null {
  const text = file.startsWith(BYTE_ORDER_MARK) ? file.slice(1) : file;
  // Whichever comes first.
  const separator = /^[^\r\n",;]*;/.test(text) ? ';' : ',';
  const cells = new RegExp(`("(?:[^"]|"")*"|(?!")[^${separator}\\r\\n]*)(${separator}|\\r?\\n|\\r|$)`, 'gy');
  const lines: string[][] = [];
  for (let line: string[] = []; ; ) {
    const found = cells.exec(text);
    if (!found) return null;
    const [, written = '', end] = found;
    line.push(plain(written));
    const last = cells.lastIndex >= text.length;
    if (end === separator && last) line.push('');
    if (end === separator && !last) continue;
    if (line.some((one) => one !== '')) lines.push(line);
    if (last) return lines;
    line = [];
  }
}

function plain(written: string): string {
  const text = written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written.trim();
  return text.startsWith("'") && formula.test(text) ? text.slice(1) : text;
}
