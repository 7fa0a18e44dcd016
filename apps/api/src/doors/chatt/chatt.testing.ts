import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { expect } from 'vitest';

/** A client that has published and heard something over MQTT: the npm package `mqtt`, as programs use it. */
export class MqttPerson {
  /** What came, as `topic payload`. */
  readonly heard: string[] = [];
  private readonly closed: Promise<never>;

  private constructor(readonly client: MqttClient) {
    this.closed = new Promise((_, reject) => client.once('close', () => reject(new Error('closed'))));
    this.closed.catch(() => undefined);
    client.on('message', (topic, payload) => this.heard.push(`${topic} ${payload}`));
    client.on('error', () => undefined);
  }

  /** Connects, at `mqtt://` or `ws://`; fails if it is refused. It does not come back by itself. */
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

  /** The QoS that each filter was granted; 128: refused. */
  async subscribe(filter: string | string[], qos: 0 | 1 | 2 = 0): Promise<number[]> {
    return (await this.client.subscribeAsync(filter, { qos })).map((grant) => grant.qos);
  }

  /** Fails if the connection ends before the text is acknowledged, for which the library would wait for ever. */
  async say(room: string, text: string, qos: 0 | 1 | 2 = 1): Promise<void> {
    const payload = JSON.stringify({ author: 'anybody', text });
    await Promise.race([this.client.publishAsync(`rooms/${room}/newtext`, payload, { qos }), this.closed]);
  }

  /** The texts of a room that came, as `author: text`. */
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

  /** Goes without a word. */
  drop(): void {
    this.client.stream.destroy();
    this.client.end(true);
  }

  leave(): Promise<void> {
    return this.client.endAsync();
  }
}
