import { Listener, type TroubleLog } from '@verbatim/event-store';
import { z } from 'zod';
import { newId } from '../../new-id.js';

/** How long a client's former replica may take to let go of it. */
const PATIENCE_MS = 1_000;

const news = z.union([
  z.object({ from: z.string(), take: z.string(), connection: z.string().regex(/^\d+$/) }),
  z.object({ from: z.string(), released: z.string() }),
  z.object({ from: z.string(), name: z.string(), here: z.boolean() }),
]);

/** What a replica does when it hears from others. */
export interface ReplicaListener {
  /** The client has connected elsewhere with this number. Resolves when it is let go of here. */
  taken(client: string, connection: bigint): Promise<void>;
  /** Somebody has greeted or gone elsewhere. */
  moved(name: string, here: boolean): void;
  /** What others said may have been missed. */
  missed(): void;
}

/** Tells the other replicas which clients have come here, and who greets and goes. Nothing depends on its being heard in time. */
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

  /** Has another replica let go of a client, and waits for it, but not for long: it may not be there any more. */
  async take(client: string, connection: bigint): Promise<void> {
    let patience: NodeJS.Timeout | undefined;
    const released = new Promise<void>((resolve) => {
      this.awaited.set(client, resolve);
      patience = setTimeout(resolve, PATIENCE_MS);
    });
    await this.tell({ from: this.id, take: client, connection: `${connection}` });
    await released;
    clearTimeout(patience);
    this.awaited.delete(client);
  }

  /** Somebody greets or goes here. */
  async move(name: string, here: boolean): Promise<void> {
    await this.tell({ from: this.id, name, here });
  }

  private async tell(what: z.input<typeof news>): Promise<void> {
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
    await this.tell({ from: this.id, released: client });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
