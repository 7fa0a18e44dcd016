import type { LoadSocket } from './load-socket.js';
import { jsonTexts } from './texts.js';

/** Somebody in a room: a socket, and the frame that posts a text (as JSON) under an id. */
export interface Speaker {
  readonly socket: Pick<LoadSocket, 'onText' | 'send' | 'closed'>;
  /** What stands before the id of a message in what comes back, default its field in a frame of the service. */
  readonly mark?: Buffer;
  frame(ref: number, messageId: string, text: string): string;
}

/** Somebody at a WebSocket. */
export interface Participant extends Speaker {
  readonly socket: LoadSocket;
}

export interface Load {
  /** Rooms with everyone in them; the first `posters` of each post. */
  readonly rooms: readonly (readonly Speaker[])[];
  readonly posters: number;
  /** Posts of one poster on their way at a time. */
  readonly inFlight: number;
  /** Milliseconds between the end of a post and the next one of the same poster, default none. */
  readonly pause?: number;
  /** What a post waits for: to come back to its poster as to all others, or to be acknowledged where nobody follows. */
  readonly until: 'delivered' | 'acknowledged';
  readonly seconds: number;
}

export interface Outcome {
  /** While the load was on. */
  readonly posts: number;
  readonly deliveries: number;
  readonly seconds: number;
  /** Milliseconds from sending a post to its arrival at the last of the room, or to its acknowledgement; sorted. */
  readonly latencies: readonly number[];
  /** Until the last delivery of the last post, which is what the CPU was spent on. */
  readonly all: { readonly posts: number; readonly deliveries: number; readonly refused: number };
  /** Microseconds of CPU that the load itself took. */
  readonly cpu: number;
}

/** Milliseconds that the last deliveries may take after the end. */
const PATIENCE_MS = 20_000;

const texts = jsonTexts(20_000);
let nextText = 0;

/** Runs a closed loop: each poster keeps `inFlight` posts on their way and sends the next when one of its own is done. */
export async function run(load: Load): Promise<Outcome> {
  const { rooms, posters, inFlight, pause = 0, until, seconds } = load;
  const cpuBefore = process.cpuUsage();
  const sentAt: number[] = [];
  const waitingFor: (Speaker | null)[] = [];
  const latencies: number[] = [];
  let [waiting, posts, deliveries, refused, expected] = [0, 0, 0, 0, 0];
  let over = false;

  for (const room of rooms) {
    for (const [index, participant] of room.entries()) {
      const post = () => {
        const ref = sentAt.length;
        sentAt.push(performance.now());
        waitingFor.push(participant);
        waiting++;
        const text = texts[nextText++ % texts.length] ?? '';
        participant.socket.send(participant.frame(ref, messageIdOf(ref), text));
      };
      const done = (ref: number, successful: boolean) => {
        if (waitingFor[ref] !== participant) return;
        waitingFor[ref] = null;
        waiting--;
        if (successful) {
          posts++;
          expected += until === 'delivered' ? room.length : 0;
        } else refused++;
        postAfter(pause);
      };
      const postAfter = (milliseconds: number) => {
        if (over) return;
        if (milliseconds === 0) post();
        else setTimeout(() => postAfter(0), milliseconds);
      };
      const isPoster = index < posters;
      const isLast = index === room.length - 1;
      const { mark = MARK } = participant;
      participant.socket.onText = (bytes, start, end) => {
        let found = false;
        for (let at = bytes.indexOf(mark, start); at >= 0 && at < end; at = bytes.indexOf(mark, at + 50)) {
          found = true;
          deliveries++;
          if (!isPoster && !isLast) continue;
          const ref = refAt(bytes, at + mark.length);
          if (isLast && !over) latencies.push(performance.now() - (sentAt[ref] ?? 0));
          if (isPoster) done(ref, true);
        }
        if (found || !isPoster) return;
        const answer = ANSWER.exec(bytes.toString('latin1', start, Math.min(end, start + 60)));
        if (!answer) return;
        const ref = Number(answer[2]);
        if (answer[1] === 'error') done(ref, false);
        else if (until === 'acknowledged') {
          latencies.push(performance.now() - (sentAt[ref] ?? 0));
          done(ref, true);
        }
      };
      if (isPoster) for (let i = 0; i < inFlight; i++) postAfter(Math.random() * pause);
    }
  }

  const begun = performance.now();
  await sleep(seconds * 1_000);
  over = true;
  const counted = { posts, deliveries, seconds: (performance.now() - begun) / 1_000 };
  while (waiting > 0 || deliveries < expected) {
    const late = performance.now() - begun > seconds * 1_000 + PATIENCE_MS;
    const lost = rooms.flat().some(({ socket }) => socket.closed);
    if (late || lost)
      throw new Error(
        `${waiting} posts have no answer and ${expected - deliveries} deliveries are missing${lost ? '; a socket was closed' : ''}.`,
      );
    await sleep(5);
  }
  for (const { socket } of rooms.flat()) socket.onText = () => {};
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    ...counted,
    latencies: latencies.sort((a, b) => a - b),
    all: { posts, deliveries, refused },
    cpu: user + system,
  };
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Where a post is found in what comes back --------------------------------------------------------------------------

const MARK = Buffer.from('"messageId":"');
/** The beginning of an answer: its event and the client's own mark. */
const ANSWER = /^\{"event":"(ack|error)","ref":(\d+)/;

/** A UUID of kind 7, as clients choose them, which ends with the number of the post. */
export function messageIdOf(ref: number, at = Date.now()): string {
  const time = at.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-0000${ref.toString(16).padStart(8, '0')}`;
}

const refAt = (bytes: Buffer, id: number): number => Number.parseInt(bytes.toString('latin1', id + 28, id + 36), 16);
