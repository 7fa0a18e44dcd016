import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Wire } from './wire.testing.js';

describe('a wire', () => {
  let echo: Server;
  let wire: Wire;
  let isThere = true;
  beforeAll(async () => {
    echo = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
    await once(echo, 'listening');
    wire = await Wire.lay(() => (isThere ? (echo.address() as AddressInfo).port : null));
  });
  afterAll(async () => {
    await wire.remove();
    echo.close();
  });

  const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

  /** Sends a megabyte, and answers whether it came back as it was, how, and after how many milliseconds. */
  async function send(): Promise<{ whole: boolean; milliseconds: number }> {
    const sent = Buffer.alloc(1 << 20, 'abcdefg');
    const started = performance.now();
    const socket = connect(wire.port, '127.0.0.1');
    const got: Buffer[] = [];
    let bytes = 0;
    socket.on('data', (part) => {
      got.push(part);
      bytes += part.length;
      if (bytes >= sent.length) socket.end();
    });
    socket.on('error', () => {});
    socket.write(sent);
    await closed(socket);
    return { whole: Buffer.concat(got).equals(sent), milliseconds: performance.now() - started };
  }

  it('lets everything through', async () => {
    expect(await send()).toMatchObject({ whole: true });
  });

  it('lets everything through later while it is slow', async () => {
    wire.delay = 60;
    const { whole, milliseconds } = await send();
    wire.delay = 0;
    expect(whole).toBe(true);
    expect(milliseconds).toBeGreaterThanOrEqual(119);
  });

  it('loses what is on its way when it is cut, and lets nothing through for a while', async () => {
    const socket = connect(wire.port, '127.0.0.1').on('error', () => {});
    socket.write('x');
    await once(socket, 'data');
    wire.cut(100);
    await closed(socket);
    expect((await send()).whole).toBe(false);
    await expect.poll(async () => (await send()).whole).toBe(true);
  });

  it('resets those who come while nobody is there', async () => {
    isThere = false;
    expect((await send()).whole).toBe(false);
    isThere = true;
    expect((await send()).whole).toBe(true);
  });
});
