import type { IncomingMessage } from 'node:http';
import type { Host } from '../../host/host.js';

/**
 * Whether a page may use this door: one that the operator allows, or one on the same host, with any scheme and port. The
 * old page is often served by a proxy with TLS, or by another server on the same machine, so its origin is rarely the
 * address of this door. All loopback names of this machine count as one. Programs send no Origin.
 *
 * This door does not rely on anything that browsers send automatically, such as cookies. The rule keeps a foreign page that
 * a person opens from using a service that only their network can reach.
 */
export function admitsOrigin(
  request: IncomingMessage,
  { origins, proxies }: Pick<Host, 'origins' | 'proxies'>,
): boolean {
  const { origin } = request.headers;
  if (origin === undefined || origins.admits(request)) return true;
  if (!URL.canParse(origin)) return false;
  const asked = `http://${proxies.hostOf(request)}`;
  return URL.canParse(asked) && machineOf(new URL(origin)) === machineOf(new URL(asked));
}

const machineOf = ({ hostname }: URL): string =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname) ? 'localhost' : hostname;
