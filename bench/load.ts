import type { WebSocket } from 'ws';

/** Somebody in a room: a socket, and how to say something so that it comes back with this mark in its text. */
export interface Participant {
  readonly socket: WebSocket;
  post(text: string): void;
}

export interface Load {
  /** Rooms with everyone in them; the first `posters` of each post. */
  readonly rooms: readonly (readonly Participant[])[];
  readonly posters: number;
  /** Posts of one poster on their way at a time. */
  readonly inFlight: number;
  readonly texts: readonly string[];
  /** Milliseconds. */
  readonly duration: number;
}

export interface Outcome {
  readonly posts: number;
  readonly deliveries: number;
  readonly seconds: number;
  /** Milliseconds from sending a post to its arrival at the poster's neighbour, sorted. */
  readonly latencies: readonly number[];
}

const MARK = Buffer.from('~b:');

/**
 * Runs a closed loop: each poster keeps `inFlight` posts on their way and sends the next when one of its own comes back.
 * Every delivery is counted by its mark in the raw bytes; only the poster and its neighbour read what they get.
 */
export async function run({ rooms, posters, inFlight, texts, duration }: Load): Promise<Outcome> {
  let posts = 0;
  let deliveries = 0;
  let next = 0;
  const latencies: number[] = [];
  let over = false;
  const waiting = new Set<string>();
  const begun = performance.now();

  for (const room of rooms) {
    for (const [index, participant] of room.entries()) {
      const isPoster = index < posters;
      const isNeighbour = index === room.length - 1;
      const post = () => {
        const id = `${next++}`;
        waiting.add(`${index}:${id}`);
        posts++;
        participant.post(`${texts[next % texts.length]} ~b:${index}:${id}:${performance.now().toFixed(2)}~`);
      };
      participant.socket.on('message', (data: Buffer) => {
        for (let at = data.indexOf(MARK); at >= 0; at = data.indexOf(MARK, at + 3)) {
          deliveries++;
          if (!isPoster && !isNeighbour) continue;
          const [from, id, sent] = data.toString('latin1', at + 3, data.indexOf(0x7e, at + 3)).split(':');
          if (isNeighbour && !over) latencies.push(performance.now() - Number(sent));
          if (isPoster && Number(from) === index && waiting.delete(`${index}:${id}`) && !over) post();
        }
      });
      if (isPoster) for (let i = 0; i < inFlight; i++) post();
    }
  }
  await new Promise((resolve) => setTimeout(resolve, duration));
  over = true;
  const counted = { posts: posts - waiting.size, deliveries, seconds: (performance.now() - begun) / 1_000 };
  while (waiting.size > 0 && performance.now() - begun < duration + 10_000)
    await new Promise((resolve) => setTimeout(resolve, 20));
  for (const room of rooms) for (const { socket } of room) socket.removeAllListeners('message');
  return { ...counted, latencies: latencies.sort((a, b) => a - b) };
}

/** The value below which this share of sorted values lies. */
export const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

export const median = (values: readonly number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
