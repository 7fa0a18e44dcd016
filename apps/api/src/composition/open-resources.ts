/**
 * Everything that has to be closed: pools, subscriptions, timers. Code that opens something adds its `close`, and all are
 * closed in reverse order, whether the service shuts down or fails halfway through its start.
 */
export class OpenResources {
  private readonly closers: (() => unknown)[] = [];

  /** Adds something that has been opened, and returns it. */
  add<T>(resource: T, close: (resource: T) => unknown): T {
    this.closers.push(() => close(resource));
    return resource;
  }

  /** Closes everything, the last opened first. Throws the first error once all have been tried. */
  async close(): Promise<void> {
    const errors: unknown[] = [];
    for (let close = this.closers.pop(); close; close = this.closers.pop()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
