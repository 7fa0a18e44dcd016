/**
 * Everything that has to be closed again: pools, subscriptions, timers. The code that opens one adds how to close it, and
 * all are closed in reverse order, whether the service ends or its start has failed half-way.
 */
export class OpenResources {
  private readonly closers: (() => unknown)[] = [];

  /** Adds something that is open from now on; returns it. */
  add<T>(resource: T, close: (resource: T) => unknown): T {
    this.closers.push(() => close(resource));
    return resource;
  }

  /** Closes everything, the last opened first. The first error is thrown when all have been tried. */
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
