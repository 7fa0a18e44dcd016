import type { Client } from '@verbatim/client';
import { useSyncExternalStore } from 'react';

/**
 * Whether the role of the person demands a second factor that they have not set up. The service then answers nothing else, so
 * the dashboard leads to where it is set up.
 */
class MissingSecondFactor {
  private missing = false;
  private readonly listeners = new Set<() => void>();

  get is(): boolean {
    return this.missing;
  }

  /** Asks the service and returns its answer; if it cannot be reached, the state stays as it was. */
  async check(client: Client): Promise<boolean> {
    const { enabled, required } = await client
      .call('getTotp', {}, { deadlineMs: 5_000 })
      .catch(() => ({ enabled: !this.missing, required: this.missing }));
    this.become(required && !enabled);
    return this.missing;
  }

  become(missing: boolean): void {
    if (missing === this.missing) return;
    this.missing = missing;
    for (const listener of this.listeners) listener();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}

export const missingSecondFactor = new MissingSecondFactor();

export const useMissingSecondFactor = (): boolean =>
  useSyncExternalStore(missingSecondFactor.subscribe, () => missingSecondFactor.is);
