import { connect } from 'node:net';

/** An HTTP/1.1 request of which every byte can be chosen: no client library stands between it and the service. */
export interface HttpRequest {
  readonly method: string;
  readonly target: string;
  /** A name may come more than once. Characters up to U+00FF stand for bytes. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: Buffer;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** Everything that came, as it came. */
  readonly raw: string;
}

/** What happened on a connection: what the service answered, if it did, and whether it ended the connection itself. */
export interface Exchange {
  readonly answer: HttpAnswer | null;
  readonly ended: boolean;
}

/** The request as it goes over the wire. `Content-Length` is added unless its headers say how long it is. */
export function bytesOf({ method, target, headers = [], body }: HttpRequest): Buffer {
  const saysLength = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name));
  const length: [string, string][] = body && !saysLength ? [['content-length', `${body.length}`]] : [];
  const lines = [['host', 'localhost'], ['connection', 'close'], ...length, ...headers].map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
  return body ? Buffer.concat([head, body]) : head;
}

/** Sends bytes on a connection of their own and reads one answer, or until the service hangs up, or for `patience` milliseconds. */
export async function exchange(url: string, bytes: Buffer, patience = 10_000): Promise<Exchange> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const came: Buffer[] = [];
  const ended = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), patience);
    socket.on('data', (chunk) => {
      came.push(chunk);
      if (isWhole(Buffer.concat(came))) socket.destroy();
    });
    // A service that has heard enough may answer and hang up while it is still being sent to.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(true);
    });
    socket.write(bytes);
  });
  socket.destroy();
  return { answer: readAnswer(Buffer.concat(came).toString()), ended };
}

function isWhole(came: Buffer): boolean {
  const end = came.indexOf('\r\n\r\n');
  // After a switch to another protocol its first bytes are the rest of the answer.
  if (end >= 0 && came.toString('latin1').startsWith('HTTP/1.1 101')) return came.length > end + 4;
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(came.subarray(0, end + 2).toString('latin1'))?.[1];
  return end >= 0 && length !== undefined && came.length >= end + 4 + Number(length);
}

function readAnswer(raw: string): HttpAnswer | null {
  const [head = '', ...rest] = raw.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '').split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1];
  if (!status) return null;
  const headers = lines.map((line) => line.split(/:\s*(.*)/s, 2) as [string, string]);
  return {
    status: Number(status),
    headers: new Map(headers.map(([name, value]) => [name.toLowerCase(), value])),
    body: rest.join('\r\n\r\n'),
    raw,
  };
}
