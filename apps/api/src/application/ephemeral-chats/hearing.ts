import { Injectable } from '@nestjs/common';
import { Time } from '../../clock.js';

/** Since when this process hears those who ask for messages: silence before that says nothing about a person. */
@Injectable()
export class Hearing {
  /** Milliseconds since 1970; null: the last attempt to hear somebody failed. */
  private heardSince: number | null;

  constructor(private readonly time: Time) {
    this.heardSince = time.now().getTime();
  }

  since(): number {
    this.heardSince ??= this.time.now().getTime();
    return this.heardSince;
  }

  /** Does what depends on the database; when it fails, nobody is heard until something succeeds again. */
  async watch<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.heardSince = null;
      throw error;
    }
  }
}
