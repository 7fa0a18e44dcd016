import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, ChatableUser, type PacketSocket } from '../../doors/chatable/chatable.testing.js';
import type { Packet } from '../../doors/chatable/packets.js';
import type { PublicToken } from '../../doors/chatable/public-tokens.js';
import type { Attempt, Outcome } from './history.testing.js';
import type { Seeded } from './seeded.testing.js';

/** Milliseconds for which an answer is waited for on one connection, and for a handshake. */
const ANSWER_MS = 3_000;
/** Milliseconds between two attempts. */
const PAUSE_MS = 100;

interface Couple {
  readonly username: string;
  readonly password: string;
  readonly peer: string;
  /** The direct room of both. */
  readonly room: string;
  readonly servers: readonly string[];
}

/** Writes to one person through the door of chatable all the time, and records what became of each message. */
export class ChatableTalker {
  readonly attempts: Attempt[] = [];
  readonly acknowledgedAt: number[] = [];
  longestWait = 0;
  private count = 0;
  private attempted = 0;
  private token: PublicToken | null = null;
  private socket: PacketSocket | null = null;

  constructor(
    private readonly couple: Couple,
    private readonly random: Seeded,
  ) {}

  async talk(end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      const message = { id: randomUUID(), text: `${this.couple.username} writes ${++this.count}` };
      const posted = performance.now();
      const outcome = await this.post(message, posted + this.random.pick([1_000, 5_000, 20_000]));
      this.attempts.push({ room: this.couple.room, ...message, outcome });
      if (outcome.is === 'acknowledged') {
        this.acknowledgedAt.push(performance.now());
        this.longestWait = Math.max(this.longestWait, performance.now() - posted);
      }
      await sleep(this.random.between(50, 350), undefined, { signal: end }).catch(() => {});
    }
    this.socket?.close();
  }

  /** Sends the packet, on whatever connection, until it is answered or the time is over. */
  private async post({ id, text }: { id: string; text: string }, deadline: number): Promise<Outcome> {
    while (performance.now() < deadline) {
      const answer = await this.tryOnce({ recipient: this.couple.peer, message: text, id }).catch(() => null);
      if (answer?.created_at) return { is: 'acknowledged', revision: null };
      if (answer && answer.error.code < 500) return { is: 'refused', code: JSON.stringify(answer.error) };
      this.leave();
      await sleep(PAUSE_MS);
    }
    return { is: 'unknown' };
  }

  private async tryOnce(packet: Packet & { readonly id: string }) {
    this.socket ??= await within(this.connect());
    const { socket } = this;
    socket.send(packet);
    const answer = () => socket.packets.find(({ id, author }) => id === packet.id && author === undefined);
    const end = performance.now() + ANSWER_MS;
    while (!answer() && socket.socket.readyState === socket.socket.OPEN && performance.now() < end) await sleep(10);
    return answer() ?? null;
  }

  /** At one replica after the other. Signs in again when the token is not good any more. */
  private async connect(): Promise<PacketSocket> {
    const { username, password, servers } = this.couple;
    const url = servers[this.attempted++ % servers.length] ?? '';
    if (!this.token) {
      const { status, body } = await ask('POST', `${url}/api/auth_token`, { form: { username, password } });
      if (status !== 200) throw new Error(`${username} cannot sign in: ${status}`);
      this.token = body.data[0] as PublicToken;
    }
    const user = new ChatableUser(url, username, this.token);
    try {
      return await user.connect('?confirm=1');
    } catch (error) {
      if (String(error).includes('401')) this.token = null;
      throw error;
    }
  }

  private leave(): void {
    this.socket?.socket.terminate();
    this.socket = null;
  }
}

const within = <T>(what: Promise<T>): Promise<T> =>
  Promise.race([what, sleep(ANSWER_MS).then(() => Promise.reject(new Error('it took too long')))]);
