/**
 * Asks once for all who want to know while the answer is on its way, so that anybody may ask as often as they like of
 * what takes the database a while.
 */
export function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | null = null;
  return () => {
    underWay ??= ask().finally(() => {
      underWay = null;
    });
    return underWay;
  };
}
