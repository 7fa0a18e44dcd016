import { shared } from '../doors/rest/shared-answer.js';

/** One thing that must be in order before the service may get traffic. */
export interface Check {
  readonly name: string;
  ready(): boolean | Promise<boolean>;
}

/**
 * Whether the service can serve. Lag counts only until the read models have caught up for the first time: taking a
 * replica out of service because it is busy would make the others busier.
 */
export class Readiness {
  private draining = false;

  constructor(private readonly checks: readonly Check[]) {}

  /** From now on no new traffic is wanted. */
  drain(): void {
    this.draining = true;
  }

  /** Names of what is not in order; empty when ready. */
  async missing(): Promise<string[]> {
    if (this.draining) return ['shutting down'];
    return this.failing();
  }

  private readonly failing = shared(async () => {
    const results = await Promise.all(
      this.checks.map(async (check) => ((await this.isReady(check)) ? null : check.name)),
    );
    return results.filter((name) => name !== null);
  });

  private async isReady(check: Check): Promise<boolean> {
    try {
      return await check.ready();
    } catch {
      return false;
    }
  }
}
