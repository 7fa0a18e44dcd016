import { register, type TestPerson, type TestSocket } from '../harness/test-client.testing.js';
import { pause } from './attack.testing.js';

/** People who keep posting, each in their own room, within the limit of a connection. */
const PEOPLE = 5;
const BETWEEN_POSTS_MS = 180;
/** Milliseconds between two health checks, and those that each has. */
const BETWEEN_CHECKS_MS = 250;
const CHECK_MS = 10_000;

/** What people met who do no harm, over a span of time. Times are in milliseconds. */
export interface Experience {
  /** How long each acknowledged post took, in ascending order. */
  readonly posts: readonly number[];
  /** Posts that were refused, and ends of connections: there should be none. */
  readonly failures: readonly string[];
  /** How long each health check took, in ascending order; those that failed are among `failures`. */
  readonly checks: readonly number[];
}

/** The time that 99 of 100 do not exceed. */
export const p99 = (ascending: readonly number[]): number => ascending[Math.ceil(ascending.length * 0.99) - 1] ?? 0;

/** Ordinary users of a service, and its health checks. */
export class Bystanders {
  private constructor(
    private readonly url: string,
    private readonly people: readonly { readonly room: string; readonly socket: TestSocket }[],
  ) {}

  static async arrive(url: string): Promise<Bystanders> {
    const people = await Promise.all(Array.from({ length: PEOPLE }, async () => settle(await register(url))));
    return new Bystanders(url, people);
  }

  /** Keeps posting and checking until the signal is aborted. */
  async live(signal: AbortSignal): Promise<Experience> {
    const [posts, checks, failures]: [number[], number[], string[]] = [[], [], []];
    const posting = this.people.map(async ({ room, socket }, i) => {
      await pause((i * BETWEEN_POSTS_MS) / PEOPLE);
      for (let n = 0; !signal.aborted; n++) {
        const begun = performance.now();
        const answer = await socket.ask('post', { room, text: `message ${n}` }).catch((error: Error) => error);
        if (!(answer instanceof Error) && answer.event === 'ack') posts.push(performance.now() - begun);
        else failures.push(answer instanceof Error ? answer.message : JSON.stringify(answer.data));
        if (socket.socket.readyState !== socket.socket.OPEN) return void failures.push('a connection ended');
        // A test keeps every frame it has got.
        socket.frames.length = 0;
        socket.heard.length = 0;
        await pause(Math.max(1, BETWEEN_POSTS_MS - (performance.now() - begun)));
      }
    });
    const checking = (async () => {
      while (!signal.aborted) {
        const begun = performance.now();
        for (const path of ['/health/live', '/health/ready']) {
          const answer = await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(CHECK_MS) }).catch(
            (error: Error) => error,
          );
          if (answer instanceof Error) failures.push(`${path}: ${answer.message}`);
          else if (answer.status !== 200) failures.push(`${path}: ${answer.status}`);
          else checks.push(performance.now() - begun);
        }
        await pause(BETWEEN_CHECKS_MS);
      }
    })();
    await Promise.all([...posting, checking]);
    const ascending = (numbers: number[]) => numbers.sort((a, b) => a - b);
    return { posts: ascending(posts), checks: ascending(checks), failures };
  }

  leave(): void {
    for (const { socket } of this.people) socket.close();
  }
}

async function settle(person: TestPerson) {
  return { room: await person.room(), socket: await person.connect() };
}
