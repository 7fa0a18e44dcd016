import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What becomes of the next request that holds the marker. */
export type Cut =
  /** The connection is lost before the server sees the request. */
  | 'before the request'
  /** The connection is lost as soon as the request is on its way. */
  | 'after the request'
  /** The connection is lost instead of the server's answer coming through. */
  | 'before the answer'
  /** The first half of what the server answers at a time comes through, and the connection is lost. */
  | 'within the answer'
  /** Nothing comes through from the server any more, and nothing shows it. */
  | 'silence';

/** A TCP proxy on the loopback that loses connections at the worst moments, on demand. */
export class CuttingProxy {
  private cut: Cut | undefined;
  private marker = '';
  private refusing: 'not' | 'resets' | 'hangs up' = 'not';
  private readonly sockets = new Set<Socket>();
  private readonly server = createServer((client) => this.forward(client));

  private constructor(private readonly target: URL) {}

  /** `target` names a server by host and port; `url` of the proxy is the same with another port. */
  static async open(target: string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(new URL(target));
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get url(): string {
    const url = new URL(this.target.href);
    url.host = `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return url.href;
  }

  /** Does this to the next request with `marker` in its bytes, whichever connection it comes by. */
  cutNext(marker: string, cut: Cut): void {
    this.marker = marker;
    this.cut = cut;
  }

  /** Cuts all connections and lets none through for so long, either resetting or politely ending each. */
  refuse(how: 'resets' | 'hangs up', milliseconds: number): void {
    this.refusing = how;
    this.cutAll();
    setTimeout(() => {
      this.refusing = 'not';
    }, milliseconds);
  }

  cutAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.server.close();
    this.cutAll();
    await once(this.server, 'close');
  }

  private forward(client: Socket): void {
    if (this.refusing === 'resets') return void client.resetAndDestroy();
    if (this.refusing === 'hangs up')
      return void client
        .on('error', () => {})
        .resume()
        .end();
    const server = connect(Number(this.target.port), this.target.hostname);
    let answers: 'come through' | 'are lost' | 'cut' | 'halved' = 'come through';

    this.join(client, server);
    server.on('data', (answer) => {
      if (answers === 'come through') client.write(answer);
      if (answers === 'cut') client.destroy();
      if (answers === 'halved') client.end(answer.subarray(0, answer.length / 2));
    });
    client.on('data', (request) => {
      const cut = this.cutFor(request);
      if (cut === 'before the request') return void client.destroy();
      if (cut === 'before the answer') answers = 'cut';
      if (cut === 'within the answer') answers = 'halved';
      if (cut === 'silence') answers = 'are lost';
      server.write(request, () => {
        if (cut === 'after the request') client.destroy();
      });
    });
  }

  /** The end of one is the end of the other, which still sends what it was given. */
  private join(client: Socket, server: Socket): void {
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(one);
      one.setNoDelay();
      one.on('error', () => {});
      one.on('close', () => {
        this.sockets.delete(one);
        other.end();
      });
    }
  }

  private cutFor(request: Buffer): Cut | undefined {
    if (!this.cut || !request.includes(this.marker)) return undefined;
    const cut = this.cut;
    this.cut = undefined;
    return cut;
  }
}
