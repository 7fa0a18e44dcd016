/** The colours that the page offers. */
export const colors: readonly string[] = [
  ...['purple', 'blue', 'red', 'green', 'gray', 'turquoise', 'indigo', 'magenta', 'black', 'yellow', 'orange'],
];
export const DEFAULT_COLOR = 'purple';

/** Clients may have colours of their own: a word, or digits with or without a number sign. */
const COLOR = /^#?[A-Za-z0-9-]{1,24}$/;

/** The colour that a client chose, or the default if it is invalid. */
export const colorOf = (color: unknown): string =>
  typeof color === 'string' && COLOR.test(color) ? color : DEFAULT_COLOR;
