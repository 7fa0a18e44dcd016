import type { ReadinessCheck } from './contributions.js';
import { shared } from './shared-answer.js';

/** The source of the checks. */
export interface Checks {
  checks(): readonly ReadinessCheck[];
}

/**
 * Whether the service can take traffic. Lag counts only until the read models have caught up for the first time: taking a
 * busy replica out of service would make the others busier.
 */
export class Readiness {
  private draining = false;

  constructor(private readonly all: Checks) {}

  /** Called when the process should get no new traffic. */
  drain(): void {
    this.draining = true;
  }

  /** Names of the failing checks, with the reason where there is one; empty when ready. */
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
