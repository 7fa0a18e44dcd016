import type { ReadinessCheck } from './contributions.js';
import { shared } from './shared-answer.js';

/** Where the checks come from. */
export interface Checks {
  checks(): readonly ReadinessCheck[];
}

/**
 * Whether the service can serve. Lag counts only until the read models have caught up for the first time: taking a
 * replica out of service because it is busy would make the others busier.
 */
export class Readiness {
  private draining = false;

  constructor(private readonly all: Checks) {}

  /** From now on no new traffic is wanted. */
  drain(): void {
    this.draining = true;
  }

  /** Names of the checks that fail, with the reason where there is more to say; empty when ready. */
  async missing(): Promise<string[]> {
    if (this.draining) return ['shutting down'];
    return this.failing();
  }

  private readonly failing = shared(async () => {
    const results = await Promise.all(this.all.checks().map(problemOf));
    return results.filter((problem) => problem !== null);
  });
}

async function problemOf(check: ReadinessCheck): Promise<string | null> {
  try {
    const ready = await check.ready();
    if (ready === true) return null;
    return ready === false ? check.name : `${check.name} (${ready})`;
  } catch {
    return check.name;
  }
}
