/** A name within a sentence whose direction may be another: neither turns the other around. */
export const isolated = (name: string): string => `\u2068${name}\u2069`;
