import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noLimits } from '../limits/limit-settings.js';
import { WaitingData } from './waiting-data.js';

const MIB = 1_048_576;

let server: Server;
beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => void server.close());

/** A connection whose client reads only when the test does. */
async function opened(): Promise<{ client: Socket; socket: Socket }> {
  const accepted = once(server, 'connection');
  const client = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }).pause();
  client.on('error', () => undefined);
  const [socket] = (await accepted) as [Socket];
  socket.on('error', () => undefined);
  return { client, socket };
}

const closed = (socket: Socket) => (socket.destroyed ? Promise.resolve() : once(socket, 'close'));
const later = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('the data waiting in all sockets', () => {
  it('is kept within its limit by closing the largest first', async () => {
    const waitingData = new WaitingData({ ...noLimits, LIMIT_WAITING_MIB: 64 });
    const sockets: Socket[] = [];
    for (const mebibytes of [24, 40, 12]) {
      const { socket } = await opened();
      waitingData.watch(socket);
      sockets.push(socket);
      socket.write(Buffer.alloc(mebibytes * MIB));
    }
    const [small, large, smallest] = sockets as [Socket, Socket, Socket];
    await closed(large);
    await expect.poll(() => waitingData.bytes).toBeLessThanOrEqual(64 * MIB);
    expect([small.destroyed, smallest.destroyed]).toEqual([false, false]);
    expect(waitingData.ended).toEqual({ forMemory: 1, forSlowness: 0 });
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => waitingData.bytes).toBe(0);
    waitingData.stop();
  });

  it('includes received data that cannot be processed yet', async () => {
    const waitingData = new WaitingData({ ...noLimits, LIMIT_WAITING_MIB: 1 });
    const [patient, greedy] = [await opened(), await opened()];
    waitingData.watch(patient.socket, { heldBytes: MIB / 2 });
    waitingData.watch(greedy.socket, { heldBytes: 600_000 });
    await closed(greedy.socket);
    expect(patient.socket.destroyed).toBe(false);
    patient.socket.destroy();
    waitingData.stop();
  });
});

describe('a client', () => {
  /** At least 2 MiB in 2 s. */
  const LIMIT_READ_RATE = { count: 2 * MIB, seconds: 2 };

  it('that does not read is cut off', async () => {
    const waitingData = new WaitingData({ ...noLimits, LIMIT_READ_RATE });
    const { socket } = await opened();
    waitingData.watch(socket);
    socket.write(Buffer.alloc(32 * MIB));
    await closed(socket);
    expect(waitingData.ended).toEqual({ forMemory: 0, forSlowness: 1 });
    waitingData.stop();
  });

  it('that reads a little now and then is cut off', async () => {
    const waitingData = new WaitingData({ ...noLimits, LIMIT_READ_RATE });
    const { client, socket } = await opened();
    waitingData.watch(socket);
    socket.write(Buffer.alloc(32 * MIB));
    const reading = setInterval(() => client.read(1_000), 50);
    await closed(socket);
    clearInterval(reading);
    expect(waitingData.ended.forSlowness).toBe(1);
    waitingData.stop();
  });

  it('that keeps reading is not cut off, even if a single write takes long', async () => {
    const waitingData = new WaitingData({ ...noLimits, LIMIT_READ_RATE });
    const { client, socket } = await opened();
    waitingData.watch(socket);
    const written = new Promise((resolve) => socket.write(Buffer.alloc(64 * MIB), resolve));
    let taken = 0;
    client.on('data', async (data) => {
      client.pause();
      taken += data.length;
      // Some 13 MiB in a second.
      await later(5);
      client.resume();
    });
    client.resume();
    const looks = setInterval(() => expect(socket.writableLength).toBeGreaterThan(0), 1_000);
    await written;
    clearInterval(looks);
    expect(taken).toBeGreaterThan(16 * MIB);
    expect([socket.destroyed, waitingData.ended.forSlowness]).toEqual([false, 0]);
    socket.destroy();
    waitingData.stop();
  }, 60_000);

  it('that has nothing to read may stay silent', async () => {
    const waitingData = new WaitingData({ ...noLimits, LIMIT_READ_RATE: { count: 1_000_000, seconds: 1 } });
    const { client, socket } = await opened();
    client.resume();
    waitingData.watch(socket);
    socket.write('hello');
    await later(2_500);
    expect(socket.destroyed).toBe(false);
    socket.destroy();
    waitingData.stop();
  });
});
