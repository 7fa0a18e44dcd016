import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  encodeSignatures,
  encodeVerifierKey,
  encodeWitnessAnswer,
  isFault,
  parseAddCheckpoint,
  parseCheckpoint,
  parseNote,
  signingKey,
  signText,
  verifyConsistency,
} from '@verbatim/transparency';

/** How a witness behaves. */
export type Behaviour =
  | 'good'
  /** Takes four seconds for each answer. */
  | 'slow'
  /** Sends answers that violate the protocol. */
  | 'nonsense'
  /** Cosigns with a key that is not its own. */
  | 'impostor'
  /** Answers 500. */
  | 'broken';

const SLOW_MS = 4_000;

/** A witness for any log, over real HTTP, which checks requests and can be made to misbehave. */
export class FakeWitness {
  /** The newest checkpoint of each origin that it has cosigned. */
  readonly seen = new Map<string, { size: number; root: Buffer }>();
  /** Sizes that it has cosigned, in order. */
  readonly cosigned: number[] = [];
  /** Answers of each status. */
  readonly answers: number[] = [];
  readonly key;
  private readonly stranger;

  private constructor(
    private readonly server: Server,
    readonly name: string,
    public behaviour: Behaviour,
  ) {
    this.key = signingKey(name, 'cosignature');
    this.stranger = { ...signingKey(name, 'cosignature'), id: this.key.id };
    server.on('request', (request, response) => void this.handle(request, response));
  }

  static async start(name: string, behaviour: Behaviour = 'good'): Promise<FakeWitness> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FakeWitness(server, name, behaviour);
  }

  /** The value for AUDIT_WITNESSES. */
  get setting(): string {
    return `${encodeVerifierKey(this.key)} http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    if (this.behaviour === 'slow') await new Promise((resolve) => setTimeout(resolve, SLOW_MS).unref());
    const { status, contentType, body: answer } = this.answer(body);
    this.answers.push(status);
    response.writeHead(status, { 'content-type': contentType }).end(answer);
  }

  private answer(body: string): { status: number; contentType: string; body: string } {
    if (this.behaviour === 'broken') return { status: 500, contentType: 'text/html', body: '<h1>Oops</h1>' };
    if (this.behaviour === 'nonsense') return { status: 200, contentType: 'text/plain', body: 'x'.repeat(100_000) };
    const asked = parseAddCheckpoint(body);
    const note = isFault(asked) ? asked : parseNote(asked.checkpoint);
    const checkpoint = isFault(note) ? note : parseCheckpoint(note.text);
    if (isFault(asked) || isFault(note) || isFault(checkpoint)) return encodeWitnessAnswer({ answer: 'bad-request' });
    const { origin, size, root } = checkpoint;
    const known = this.seen.get(origin) ?? { size: 0, root: EMPTY };
    if (asked.oldSize !== known.size) return encodeWitnessAnswer({ answer: 'conflict', size: known.size });
    if (known.size > 0 && verifyConsistency(known.size, size, known.root, root, asked.proof))
      return encodeWitnessAnswer({ answer: 'inconsistent' });
    this.seen.set(origin, { size, root });
    this.cosigned.push(size);
    const key = this.behaviour === 'impostor' ? this.stranger : this.key;
    return encodeWitnessAnswer({ answer: 'cosigned', lines: encodeSignatures([signText(note.text, key)]) });
  }
}

const EMPTY = Buffer.alloc(0);
