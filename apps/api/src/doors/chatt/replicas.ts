import { Listener, type TroubleLog } from '@verbatim/event-store';
import { z } from 'zod';
import { newId } from '../../new-id.js';

/** Milliseconds that a client's former replica has to release it. */
const PATIENCE_MS = 1_000;

const news = z.union([
  z.object({ from: z.string(), take: z.string(), connection: z.string().regex(/^\d+$/) }),
  z.object({ from: z.string(), released: z.string() }),
  z.object({ from: z.string(), name: z.string(), here: z.boolean() }),
]);

/** Handles messages from other replicas. */
export interface ReplicaListener {
  /** A client has connected elsewhere, with this number. Resolves when it is released here. */
  taken(client: string, connection: bigint): Promise<void>;
  /** A person has greeted or left on another replica. */
  moved(name: string, here: boolean): void;
  /** Messages may have been missed. */
  missed(): void;
}

/** Announces to other replicas which clients have connected here, and who greets and leaves. Delivery is best effort. */
export class Replicas {
  readonly id = newId();
  private readonly channel: Listener;
  private readonly awaited = new Map<string, () => void>();

  constructor(directUrl: string, log: TroubleLog, listener: ReplicaListener) {
    this.channel = new Listener({
      directUrl,
      channel: 'verbatim_chatt',
      log,
      heard: (text) => this.hear(text, listener),
      listening: (again) => again && listener.missed(),
    });
  }

  start(): void {
    this.channel.start();
  }

  stop(): Promise<void> {
    return this.channel.close();
  }

  /** Asks another replica to release a client, and waits briefly: the replica may be gone. */
  async take(client: string, connection: bigint): Promise<void> {
    let patience: NodeJS.Timeout | undefined;
    const released = new Promise<void>((resolve) => {
      this.awaited.set(client, resolve);
      patience = setTimeout(resolve, PATIENCE_MS);
    });
    await this.notify({ from: this.id, take: client, connection: `${connection}` });
    await released;
    clearTimeout(patience);
    this.awaited.delete(client);
  }

  /** Announces that a person has greeted or left here. */
  async move(name: string, here: boolean): Promise<void> {
    await this.notify({ from: this.id, name, here });
  }

  private async notify(what: z.input<typeof news>): Promise<void> {
    if (this.channel.open) await this.channel.notify(JSON.stringify(what));
  }

  private hear(text: string, listener: ReplicaListener): void {
    const read = news.safeParse(parsed(text));
    if (!read.success || read.data.from === this.id) return;
    const { data } = read;
    if ('released' in data) this.awaited.get(data.released)?.();
    else if ('take' in data) void this.release(data.take, BigInt(data.connection), listener);
    else listener.moved(data.name, data.here);
  }

  private async release(client: string, connection: bigint, listener: ReplicaListener): Promise<void> {
    await listener.taken(client, connection);
    await this.notify({ from: this.id, released: client });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
