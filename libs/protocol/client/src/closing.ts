/**
 * Whether the client was closed. Like an AbortSignal, except that Node does not warn of a leak when many wait for it, as
 * concurrent calls of one client do.
 */
export class Closing {
  private readonly waiting = new Set<() => void>();
  private because: Error | null = null;

  /** Null while it is open. */
  get reason(): Error | null {
    return this.because;
  }

  close(reason: Error): void {
    if (this.because) return;
    this.because = reason;
    for (const notify of this.waiting) notify();
    this.waiting.clear();
  }

  /** Calls `notify` when the client is closed; returns a function that undoes this. */
  when(notify: () => void): () => void {
    this.waiting.add(notify);
    return () => this.waiting.delete(notify);
  }

  throwIfClosed(): void {
    if (this.because) throw this.because;
  }
}
