import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type MqttClient } from 'mqtt';
import type { Saying } from './history.testing.js';
import type { Seeded } from './seeded.testing.js';

/** Milliseconds between two attempts to connect, and for each. */
const RECONNECT_MS = 200;
const CONNECT_MS = 3_000;
/** Texts that are on their way at a time, so that some are whenever the connection is lost. */
const LANES = 3;

interface Account {
  readonly username: string;
  readonly password: string;
  /** A room and its name in topics. */
  readonly room: { readonly id: string; readonly name: string };
  /** Ports on the loopback. */
  readonly ports: readonly number[];
}

/**
 * Publishes at QoS 1 all the time, as programs do with the npm package `mqtt`: it connects to one replica after the other and
 * sends again what was not acknowledged before the connection was lost.
 */
export class MqttTalker {
  readonly sayings: Saying[] = [];
  readonly acknowledgedAt: number[] = [];
  longestWait = 0;
  private count = 0;
  private readonly client: MqttClient;

  constructor(
    private readonly account: Account,
    private readonly random: Seeded,
  ) {
    const { username, password, ports } = account;
    this.client = connect({
      servers: ports.map((port) => ({ host: '127.0.0.1', port, protocol: 'mqtt' as const })),
      ...{ username, password, clientId: `${username} of the faults`, protocolVersion: 4, keepalive: 5 },
      ...{ reconnectPeriod: RECONNECT_MS, connectTimeout: CONNECT_MS, reconnectOnConnackError: true },
    });
    this.client.on('error', () => undefined);
  }

  async talk(end: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: LANES }, () => this.talkInLane(end)));
    this.close();
  }

  close(): void {
    this.client.end(true);
  }

  private async talkInLane(end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      await this.say(`${this.account.username} publishes ${++this.count}`);
      await sleep(this.random.between(50, 350), undefined, { signal: end }).catch(() => {});
    }
  }

  /** A text that is not acknowledged in time may still be stored, as the client goes on sending it. */
  private async say(text: string): Promise<void> {
    const { id: room, name } = this.account.room;
    const published = performance.now();
    const payload = JSON.stringify({ author: 'anybody', text });
    const acknowledged = await Promise.race([
      this.client.publishAsync(`rooms/${name}/newtext`, payload, { qos: 1 }).then(
        () => true,
        () => false,
      ),
      sleep(this.random.pick([1_000, 5_000, 20_000]), false),
    ]);
    this.sayings.push({
      room,
      text,
      outcome: acknowledged ? { is: 'acknowledged', revision: null } : { is: 'unknown' },
    });
    if (!acknowledged) return;
    this.acknowledgedAt.push(performance.now());
    this.longestWait = Math.max(this.longestWait, performance.now() - published);
  }
}
