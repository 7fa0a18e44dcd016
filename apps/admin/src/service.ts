/** What the service says of itself at `/v1/about`. */
export interface About {
  name: string;
  version: string;
  /** Version of the contract that clients rely on. */
  protocol: number;
}

/** How the service is doing, as far as this browser can tell. `about` is null while the service does not say. */
export type Service = { state: 'ready' | 'not ready'; about: About | null } | { state: 'out of reach'; about: null };

const patience = 5_000;

/**
 * Asks the service for its readiness and its figures, both without a credential.
 *
 * @param origin where the service listens, as `http://host:port`; empty for the origin of the page
 * @returns `out of reach` when no answer came within five seconds; never throws
 */
export async function askService(origin = ''): Promise<Service> {
  const [ready, about] = await Promise.all([askReady(origin), askAbout(origin)]);
  if (ready === null) return { state: 'out of reach', about: null };
  return { state: ready ? 'ready' : 'not ready', about };
}

async function askReady(origin: string): Promise<boolean | null> {
  try {
    return (await ask(`${origin}/health/ready`)).ok;
  } catch {
    return null;
  }
}

async function askAbout(origin: string): Promise<About | null> {
  try {
    const body: unknown = await (await ask(`${origin}/v1/about`)).json();
    return isAbout(body) ? body : null;
  } catch {
    return null;
  }
}

function ask(url: string): Promise<Response> {
  return fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(patience) });
}

function isAbout(body: unknown): body is About {
  if (typeof body !== 'object' || body === null) return false;
  const { name, version, protocol } = body as Record<string, unknown>;
  return typeof name === 'string' && typeof version === 'string' && typeof protocol === 'number';
}
