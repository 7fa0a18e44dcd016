import { connect, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';
import type { LoadSocket } from './load-socket.js';

/** All sockets read into the same memory: what has been read is looked at before anything else is. */
const reading = Buffer.allocUnsafeSlow(65_536);
const nothing = Buffer.alloc(0);

const kinds = { connack: 2, publish: 3, puback: 4, suback: 9 } as const;

/** A client of MQTT over TCP that does as little as a LoadSocket: it hands out where the payloads lie, and acknowledges at QoS 1. */
export class MqttSocket implements Pick<LoadSocket, 'onText' | 'send' | 'closed'> {
  onText: LoadSocket['onText'] = () => {};
  closed = false;
  /** The beginning of a packet whose end has not come yet. */
  private begun = nothing;
  private lastId = 1;
  private acknowledgements: Buffer[] = [];
  private readonly socket: Socket;
  private readonly subscribed: Promise<void>;

  /** Connects as a guest with this name, and subscribes to the texts of a room. */
  static async open(port: number, name: string, room: string, qos: 0 | 1): Promise<MqttSocket> {
    const socket = new MqttSocket(port, name, room, qos);
    await socket.subscribed;
    return socket;
  }

  private constructor(
    port: number,
    name: string,
    private readonly room: string,
    qos: 0 | 1,
  ) {
    let done: (error?: Error) => void = () => {};
    this.subscribed = new Promise((resolve, reject) => {
      done = (error) => (error ? reject(error) : resolve());
    });
    this.socket = connect({
      ...{ host: '127.0.0.1', port, noDelay: true },
      onread: {
        buffer: reading,
        callback: (length) => {
          this.receive(reading.subarray(0, length), () => done());
          return true;
        },
      },
    });
    this.socket.on('error', done);
    this.socket.on('close', () => {
      this.closed = true;
      done(new Error(`${name} was turned away.`));
    });
    this.socket.write(
      Buffer.concat([
        generate({ cmd: 'connect', clientId: name, protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 0 }),
        generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: `rooms/${room}/newtext`, qos }] }),
      ]),
    );
  }

  /** Publishes a payload at QoS 1. */
  send(payload: string): void {
    this.lastId = (this.lastId % 65_535) + 1;
    const topic = `rooms/${this.room}/newtext`;
    const packet = {
      cmd: 'publish',
      topic,
      payload,
      qos: 1,
      messageId: this.lastId,
      dup: false,
      retain: false,
    } as const;
    this.socket.write(generate(packet));
  }

  private receive(chunk: Buffer, subscribed: () => void): void {
    const bytes = this.begun.length > 0 ? Buffer.concat([this.begun, chunk]) : chunk;
    const done = this.walk(bytes, subscribed);
    this.begun = done === bytes.length ? nothing : Buffer.from(bytes.subarray(done));
    if (this.acknowledgements.length > 0) this.socket.write(Buffer.concat(this.acknowledgements.splice(0)));
  }

  /** Hands out the complete packets; returns where the first incomplete one begins. */
  private walk(bytes: Buffer, subscribed: () => void): number {
    for (let at = 0; ; ) {
      let [start, length, unit] = [at + 1, 0, 1];
      for (;;) {
        const byte = bytes[start++];
        if (byte === undefined) return at;
        length += (byte & 127) * unit;
        unit *= 128;
        if (byte < 128) break;
      }
      const end = start + length;
      if (bytes.length < end) return at;
      const first = bytes[at] ?? 0;
      if (first >> 4 === kinds.publish) this.read(bytes, start, end, (first & 6) > 0);
      else if (first >> 4 === kinds.suback) subscribed();
      at = end;
    }
  }

  private read(bytes: Buffer, start: number, end: number, numbered: boolean): void {
    const afterTopic = start + 2 + bytes.readUInt16BE(start);
    if (numbered)
      this.acknowledgements.push(Buffer.of(kinds.puback << 4, 2, bytes[afterTopic] ?? 0, bytes[afterTopic + 1] ?? 0));
    this.onText(bytes, numbered ? afterTopic + 2 : afterTopic, end);
  }
}
