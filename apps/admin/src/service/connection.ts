import { useSyncExternalStore } from 'react';

/** Milliseconds without a connection before the banner is shown: most interruptions are shorter. */
const PATIENCE_MS = 1_500;

/**
 * Whether the service can be reached, as the last call showed. While it cannot, the socket and whatever is shown ask again by
 * themselves, so nothing has to be asked for it here.
 */
class Connection {
  private reached = true;
  private lost = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly listeners = new Set<() => void>();

  /** Whether the last call was answered by the service. */
  get reachable(): boolean {
    return this.reached;
  }

  /** Whether it has not been for so long that people should know. */
  get isLost(): boolean {
    return this.lost;
  }

  /** A call was answered, or was not. */
  note(answered: boolean): void {
    if (answered === this.reached) return;
    this.reached = answered;
    clearTimeout(this.timer);
    if (answered) this.become(false);
    else this.timer = setTimeout(() => this.become(true), PATIENCE_MS);
    for (const listener of this.listeners) listener();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private become(lost: boolean): void {
    this.lost = lost;
    for (const listener of this.listeners) listener();
  }
}

export const connection = new Connection();

/** Whether to show the banner. */
export const useConnectionLost = (): boolean => useSyncExternalStore(connection.subscribe, () => connection.isLost);

/** `fetch` that notes whether the service answers. A call aborted by its caller says nothing about the service. */
export const observedFetch: typeof fetch = async (input, init) => {
  try {
    const response = await fetch(input, init);
    connection.note(!(await isOutage(response)));
    return response;
  } catch (error) {
    const reason: unknown = init?.signal?.aborted ? init.signal.reason : null;
    if (reason === null || (reason as Error | undefined)?.name === 'TimeoutError') connection.note(false);
    throw error;
  }
};

/** Proxies answer 502 to 504 in the place of a service that is away; a service that begins or ends says that it is unavailable. */
async function isOutage(response: Response): Promise<boolean> {
  if (response.status < 502 || response.status > 504) return false;
  const problem = (await response
    .clone()
    .json()
    .catch(() => null)) as { code?: string } | null;
  return problem?.code !== 'maintenance';
}
