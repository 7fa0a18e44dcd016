import { TOTP } from 'otpauth';
import type { TestPerson } from '../../tests/harness/test-client.testing.js';

/** Does what an authenticator app does with the secret of a second factor. */
export class Authenticator {
  private readonly totp: TOTP;

  constructor(
    secret: string,
    private readonly clock: () => Date,
  ) {
    this.totp = new TOTP({ secret });
  }

  /** The current code, or the one this many 30-second steps later. */
  code(later = 0): string {
    return this.totp.generate({ timestamp: this.clock().getTime() + later * 30_000 });
  }

  /** Sets up a second factor; this uses up the current code. */
  static async setUp(
    person: TestPerson,
    clock: () => Date,
  ): Promise<{ phone: Authenticator; recoveryCodes: string[] }> {
    const { secret } = (await person.post('/v1/me/totp')).body;
    const phone = new Authenticator(secret, clock);
    const { body } = await person.post('/v1/me/totp/confirm', { code: phone.code() });
    return { phone, recoveryCodes: body.recoveryCodes };
  }
}
