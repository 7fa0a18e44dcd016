import type { IncomingMessage } from 'node:http';
import { Fault } from './fault.js';

/** A host with an optional port (RFC 3986, section 3.2.2), or nothing. */
const HOST = /^([\w.~!$&'()*+,;=%-]*|\[[\da-f:.]+\])(:\d*)?$/i;

/**
 * Why the `Host` of a request cannot be relied on (RFC 9112, section 3.2). Of several headers, Node uses the first and a
 * proxy may have used another, so more than one is refused. Node itself refuses HTTP/1.1 requests without any.
 */
export function refuseHost({ rawHeaders, headers }: IncomingMessage): Fault | null {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  if (hosts > 1) return bad('must be sent once');
  return HOST.test(headers.host ?? '') ? null : bad('must be a host, with its port if it has one');
}

const bad = (message: string): Fault =>
  new Fault('invalid', 'The header Host cannot be used.', { header: { name: 'host', message } });
