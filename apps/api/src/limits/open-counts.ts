/** Counts the open sockets, connections or requests of each account or address. Keeps only keys with a count. */
export class OpenCounts {
  private readonly open = new Map<string, number>();

  constructor(private readonly most: number) {}

  /** Number of accounts or addresses with at least one. */
  get size(): number {
    return this.open.size;
  }

  full(key: string): boolean {
    return (this.open.get(key) ?? 0) >= this.most;
  }

  enter(key: string): void {
    this.open.set(key, (this.open.get(key) ?? 0) + 1);
  }

  leave(key: string): void {
    const left = (this.open.get(key) ?? 1) - 1;
    if (left > 0) this.open.set(key, left);
    else this.open.delete(key);
  }
}
