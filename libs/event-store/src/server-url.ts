/** Who we are to a server. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** The URL of a database or event store, taken apart. */
export interface ServerUrl {
  /** Without the colon: `postgres`, `kurrentdb+discover`. */
  readonly scheme: string;
  readonly credentials: Credentials | null;
  /** As they stand there: `db.example.org:5432`, several with commas between them. */
  readonly hosts: string;
  /** What follows the hosts: path and options. */
  readonly rest: string;
}

/**
 * Reads a URL. Credentials are percent-decoded, as the rules of URLs have it; what is no percent-encoding, such as a lone
 * `%`, stands for itself, and so does an `@` that is not the last one before the host. Of `/ ? #` that cannot be known.
 */
export function readServerUrl(url: string): ServerUrl {
  const [, scheme = '', userInfo, hosts = '', rest = ''] =
    /^(?:([^:/?#]+):)?(?:\/\/)?(?:([^/?#]*)@)?([^/?#]*)(.*)$/s.exec(url.trim()) ?? [];
  if (userInfo === undefined) return { scheme, credentials: null, hosts, rest };
  const colon = userInfo.indexOf(':');
  const [username, password] = colon < 0 ? [userInfo, ''] : [userInfo.slice(0, colon), userInfo.slice(colon + 1)];
  return { scheme, credentials: { username: decoded(username), password: decoded(password) }, hosts, rest };
}

/** The same URL with the credentials encoded so that no character in them can be taken for anything else. */
export function encodeCredentials(url: string): string {
  const { scheme, credentials, hosts, rest } = readServerUrl(url);
  if (!credentials) return url.trim();
  const { username, password } = credentials;
  // Clients do not all take an empty password after a colon.
  const userInfo = [username, ...(password ? [password] : [])].map(encodeURIComponent).join(':');
  return `${scheme}://${userInfo}@${hosts}${rest}`;
}

/** What to call a server when talking to people: `PostgreSQL at db.example.org:5432`. Without secrets. */
export function serverName(url: string): string {
  const { scheme, hosts } = readServerUrl(url);
  const postgres = scheme.startsWith('postgres');
  const port = postgres ? 5432 : 2113;
  const places = hosts.split(',').map((host) => (hasPort.test(host) ? host : `${host || 'localhost'}:${port}`));
  return `${postgres ? 'PostgreSQL' : 'KurrentDB'} at ${places.map(decoded).join(', ')}`;
}

const hasPort = /:\d+$/;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
