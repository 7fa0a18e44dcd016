import type { ServerRole, UserState } from '@verbatim/domain';

/** Which roles require a second factor. */
export class SecondFactorPolicy {
  private readonly roles: ReadonlySet<ServerRole>;

  constructor(roles: readonly ServerRole[]) {
    this.roles = new Set(roles);
  }

  /** Whether this role requires a second factor. */
  demands(role: ServerRole): boolean {
    return this.roles.has(role);
  }

  /** Whether a user must set up a second factor before anything else. */
  lacking({ role, totpId }: UserState): boolean {
    return totpId === null && this.demands(role);
  }
}
