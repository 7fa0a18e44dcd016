import { Injectable } from '@nestjs/common';
import { Time } from '../../clock.js';

/** Since when this process has been able to receive requests for messages: earlier silence says nothing about a person. */
@Injectable()
export class Hearing {
  /** Milliseconds since 1970; null: the last attempt to record a request failed. */
  private heardSince: number | null;

  constructor(private readonly time: Time) {
    this.heardSince = time.now().getTime();
  }

  since(): number {
    this.heardSince ??= this.time.now().getTime();
    return this.heardSince;
  }

  /** Runs work that depends on the database. After a failure no silence counts until something succeeds again. */
  async watch<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.heardSince = null;
      throw error;
    }
  }
}
