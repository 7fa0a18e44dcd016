import type { Client } from '@verbatim/client';

/** Whether a session ended because the person wanted it so, or against their will. */
export class EndOfSession {
  private wanted = false;
  /** The last session ended by itself, and no one has signed in since. */
  unwanted = false;

  constructor(private readonly client: Client) {
    client.on('session', (session) => {
      this.unwanted = session === null && !this.wanted;
    });
  }

  /** Signs out. The service is notified if it can be reached within three seconds. */
  async signOut(): Promise<void> {
    if (!this.client.savedSession) return;
    this.wanted = true;
    try {
      await this.client.signOut({ deadlineMs: 3_000 });
    } catch {
      // The tokens are forgotten here in any case.
    } finally {
      this.wanted = false;
    }
  }

  /** Calls `listener` when a session ends by itself; returns a function that unsubscribes. */
  onUnwanted(listener: () => void): () => void {
    return this.client.on('session', (session) => {
      if (session === null && !this.wanted) listener();
    });
  }
}
