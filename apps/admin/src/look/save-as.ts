/** Has the browser save a file under this name. */
export function saveAs(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // Not at once, since some browsers begin to read it only then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
