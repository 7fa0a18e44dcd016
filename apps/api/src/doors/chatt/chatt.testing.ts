import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { expect } from 'vitest';

/** A person at a client of the npm package `mqtt`. */
export class MqttPerson {
  /** Received publications, as `topic payload`. */
  readonly heard: string[] = [];
  private readonly closed: Promise<never>;

  private constructor(readonly client: MqttClient) {
    this.closed = new Promise((_, reject) => client.once('close', () => reject(new Error('closed'))));
    this.closed.catch(() => undefined);
    client.on('message', (topic, payload) => this.heard.push(`${topic} ${payload}`));
    client.on('error', () => undefined);
  }

  /** Connects to `mqtt://` or `ws://`; fails if refused. It does not reconnect. */
  static async connect(url: string, clientId: string, options: IClientOptions = {}): Promise<MqttPerson> {
    const client = connect(url, { clientId, reconnectPeriod: 0, protocolVersion: 4, ...options });
    const person = new MqttPerson(client);
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve());
      client.once('error', reject);
      client.once('close', () => reject(new Error('closed')));
    });
    return person;
  }

  /** Returns the QoS granted for each filter; 128: refused. */
  async subscribe(filter: string | string[], qos: 0 | 1 | 2 = 0): Promise<number[]> {
    return (await this.client.subscribeAsync(filter, { qos })).map((grant) => grant.qos);
  }

  /** Fails if the connection ends before the acknowledgement, for which the library would wait forever. */
  async say(room: string, text: string, qos: 0 | 1 | 2 = 1): Promise<void> {
    const payload = JSON.stringify({ author: 'ignored', text });
    await Promise.race([this.client.publishAsync(`rooms/${room}/newtext`, payload, { qos }), this.closed]);
  }

  /** The received texts of a room, as `author: text`. */
  texts(room: string): string[] {
    const topic = `rooms/${room}/newtext `;
    return this.heard
      .filter((line) => line.startsWith(topic))
      .map((line) => JSON.parse(line.slice(topic.length)))
      .map(({ author, text }) => `${author}: ${text}`);
  }

  async hears(room: string, ...texts: string[]): Promise<void> {
    await expect.poll(() => this.texts(room), { timeout: 10_000 }).toEqual(texts);
  }

  /** Drops the connection without DISCONNECT. */
  drop(): void {
    this.client.stream.destroy();
    this.client.end(true);
  }

  leave(): Promise<void> {
    return this.client.endAsync();
  }
}
