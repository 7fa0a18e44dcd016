let next: Promise<void> | null = null;

/** Resolves in the next turn of the event loop, for all who wait for it at once: each immediate of its own would cost as much as a frame. */
export function nextTurn(): Promise<void> {
  next ??= new Promise((resolve) => {
    setImmediate(() => {
      next = null;
      resolve();
    });
  });
  return next;
}
