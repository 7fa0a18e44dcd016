import type { ServerRole, UserState } from '@verbatim/domain';

/** Whose role demands a second factor. */
export class SecondFactorPolicy {
  private readonly roles: ReadonlySet<ServerRole>;

  constructor(roles: readonly ServerRole[]) {
    this.roles = new Set(roles);
  }

  /** Whether people with this role must have a second factor. */
  demands(role: ServerRole): boolean {
    return this.roles.has(role);
  }

  /** Whether somebody has to set up a second factor before anything else. */
  lacking({ role, totpId }: UserState): boolean {
    return totpId === null && this.demands(role);
  }
}
