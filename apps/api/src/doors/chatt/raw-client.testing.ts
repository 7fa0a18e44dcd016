import { connect, type Socket } from 'node:net';
import { generate, type IConnectPacket, type Packet, parser } from 'mqtt-packet';
import { expect } from 'vitest';

/** A client that sends exactly what a test asks for, packet by packet or byte by byte. */
export class RawClient {
  readonly packets: Packet[] = [];
  ended = false;
  private readonly socket: Socket;

  private constructor(
    port: number,
    private readonly protocolVersion = 4,
  ) {
    const reader = parser({ protocolVersion });
    reader.on('packet', (packet) => this.packets.push(packet));
    reader.on('error', (error) => {
      throw error;
    });
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (bytes) => reader.parse(bytes));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.ended = true;
    });
  }

  static open(port: number): RawClient {
    return new RawClient(port);
  }

  /** Connects, and waits for the CONNACK. */
  static async connect(port: number, clientId: string, more: Partial<IConnectPacket> = {}): Promise<RawClient> {
    const client = new RawClient(port, more.protocolVersion);
    client.send(connectPacket(clientId, more));
    await client.gets('connack');
    return client;
  }

  send(packet: Packet): void {
    this.write(generate(packet, { protocolVersion: this.protocolVersion }));
  }

  write(...pieces: readonly Buffer[]): void {
    for (const piece of pieces) this.socket.write(piece);
  }

  publish(room: string, text: string, messageId: number, dup = false): void {
    const payload = JSON.stringify({ author: 'x', text });
    this.send({ cmd: 'publish', topic: `rooms/${room}/newtext`, payload, qos: 1, messageId, dup, retain: false });
  }

  /** Waits for a packet of this kind and returns it. */
  async gets<C extends Packet['cmd']>(cmd: C, count = 1): Promise<Extract<Packet, { cmd: C }>> {
    const found = () => this.packets.filter((packet) => packet.cmd === cmd);
    await expect.poll(() => found().length, { timeout: 15_000 }).toBeGreaterThanOrEqual(count);
    return found()[count - 1] as Extract<Packet, { cmd: C }>;
  }

  async isEnded(): Promise<void> {
    await expect.poll(() => this.ended, { timeout: 15_000 }).toBe(true);
  }

  /** Stops reading. */
  pause(): void {
    this.socket.pause();
  }

  drop(): void {
    this.socket.destroy();
  }
}

export const connectPacket = (clientId: string, more: Partial<IConnectPacket> = {}): IConnectPacket => ({
  cmd: 'connect',
  clientId,
  protocolId: 'MQTT',
  protocolVersion: 4,
  clean: true,
  keepalive: 60,
  ...more,
});
