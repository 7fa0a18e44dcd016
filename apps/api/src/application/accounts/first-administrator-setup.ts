import type { Config } from '../../config.js';
import {
  checkFirstAdministrator,
  createFirstAdministrator,
  type FirstAdministratorParts,
} from './first-administrator.js';

/** The first administrator, as named in the settings. */
export class FirstAdministratorSetup {
  constructor(
    private readonly settings: Pick<Config, 'ADMIN_USERNAME' | 'ADMIN_PASSWORD'>,
    private readonly parts: FirstAdministratorParts,
  ) {}

  /** Throws InvalidConfiguration if their password is too common. */
  check(): Promise<void> {
    return checkFirstAdministrator(this.parts.users, this.wanted);
  }

  /** Creates the account unless there was one before. `announce` receives a generated password. */
  create(announce: (username: string, password: string) => void): Promise<void> {
    return createFirstAdministrator(this.parts, this.wanted, (password) =>
      announce(this.settings.ADMIN_USERNAME, password),
    );
  }

  private get wanted() {
    return { username: this.settings.ADMIN_USERNAME, password: this.settings.ADMIN_PASSWORD ?? null };
  }
}
