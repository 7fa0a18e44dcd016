import type { IncomingMessage } from 'node:http';
import type { Host } from '../../host/host.js';

/**
 * Whether a page may speak to this door: one that the operator allows, or one of the same host, whatever its scheme and
 * port. The old page is often served by a proxy with TLS, or by another server on the same machine, so its origin is hardly
 * ever the address of this door; and all names of this machine for itself count as one. Programs send no Origin.
 *
 * Nothing at this door rests on what browsers send by themselves, such as cookies. The rule keeps a page that somebody happens
 * to open from speaking for them to a service that only their network reaches.
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
