/**
 * A line of comma-separated values (RFC 4180). A cell that a spreadsheet would take for a formula gets an apostrophe in
 * front, by which spreadsheets know a text.
 */
export const csvLine = (cells: readonly string[]): string => `${cells.map(cell).join(',')}\r\n`;

function cell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/**
 * The cells of all lines of such a text, as people and spreadsheets write it: also with semicolons, with simple line
 * feeds, and with empty lines, which are left out. Apostrophes that keep a text from being a formula are taken off again.
 * Null where a quote is not closed, or something stands behind a closing one.
 */
export function csvCells(text: string): string[][] | null {
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
  return /^'[=+\-@\t\r]/.test(text) ? text.slice(1) : text;
}
