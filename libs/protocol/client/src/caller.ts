import { type AnswerOf, type Call, type CallName, calls } from '@verbatim/protocol';
import { v7 as uuidv7 } from 'uuid';
import { within } from './backoff.js';
import type { Closing } from './closing.js';
import { type Patience, persist } from './persistence.js';
import { type Answer, type AnyInput, ask, type Fetch, type Headers } from './rest.js';
import type { Servers } from './servers.js';
import type { Session } from './session.js';
import { Unanswered, VerbatimError } from './verbatim-error.js';

export interface CallOptions extends Patience {
  /** Makes repeated writes take effect once; by default, each call gets its own. */
  readonly idempotencyKey?: string;
  /** Why an administrator or auditor reads a room that they are not in. It is recorded in the room. */
  readonly reason?: string;
}

/** Time limits of one attempt. */
export interface Attempt {
  /** Milliseconds. */
  readonly left?: number;
  readonly signal?: AbortSignal;
}

/** Milliseconds to wait for one server. */
const ATTEMPT = 10_000;
/** Milliseconds in which a server has to prove that it responds before a request that cannot be repeated is sent to it. */
const PROBE = 3_000;
/** Writes without a key that are safe to repeat. */
const harmless: readonly CallName[] = ['login', 'logout', 'makeTicket'];

/** Makes REST calls: with a valid access token, on a server that responds, retrying where that is safe. */
export class Caller {
  /** Place of the newest event that this client caused. Reads wait for it, on whichever server. */
  private position = -1;

  constructor(
    private readonly servers: Servers,
    private readonly session: Session,
    private readonly fetch: Fetch,
    readonly closing: Closing,
  ) {}

  async call<K extends CallName>(name: K, input: AnyInput, options: CallOptions = {}): Promise<AnswerOf<K>> {
    const call: Call = calls[name];
    const write = call.method !== 'GET';
    const takesKey = call.headers.request['Idempotency-Key'] !== undefined;
    const key = options.idempotencyKey ?? uuidv7();
    const headers: Headers = {
      ...(takesKey && { 'idempotency-key': key }),
      ...(options.reason !== undefined && { 'verbatim-reason': encodeURIComponent(options.reason) }),
    };
    const repeatable = !write || takesKey || harmless.includes(name);
    const { body } = await persist({
      ...options,
      closing: this.closing,
      repeatable,
      ...(write && { id: key }),
      attempt: (left, signal) =>
        repeatable ? this.once(name, input, { left, signal }, headers) : this.carefully(name, input, { left, signal }),
    });
    return body;
  }

  /** Asks one server once, or twice if the access token is no longer valid. */
  async once<K extends CallName>(
    name: K,
    input: AnyInput,
    attempt: Attempt = {},
    headers: Headers = {},
  ): Promise<Answer<K>> {
    if ((calls[name] as Call).auth === 'none') return this.send(name, input, attempt, headers);
    const token = await this.accessToken();
    try {
      return await this.send(name, input, attempt, { ...headers, ...bearer(token) });
    } catch (error) {
      if (!(error instanceof VerbatimError) || error.code !== 'unauthenticated') throw error;
      return this.send(name, input, attempt, { ...headers, ...bearer(await this.accessToken(token)) });
    }
  }

  /** Asks once, and only a server that has just responded: for requests that cannot be repeated. */
  async carefully<K extends CallName>(name: K, input: AnyInput, attempt: Attempt = {}): Promise<Answer<K>> {
    try {
      await this.send('getReadiness', {}, { ...attempt, left: Math.min(PROBE, attempt.left ?? PROBE) }, {});
    } catch (error) {
      // If a proxy blocks this request, its refusal at least shows that something responds.
      if (!(error instanceof VerbatimError) || error.code === 'unavailable') throw new Unanswered(false, error);
    }
    return this.once(name, input, attempt);
  }

  /** Ends the session of this token, unless it has ended already. */
  async logOut(accessToken: string, patience: Patience): Promise<void> {
    try {
      await persist({
        ...patience,
        closing: this.closing,
        attempt: (left, signal) => this.send('logout', {}, { left, signal }, bearer(accessToken)),
      });
    } catch (error) {
      if (!(error instanceof VerbatimError) || error.code !== 'unauthenticated') throw error;
    }
  }

  /** Records the position of a write that later reads have to show. */
  wrote(position: number): void {
    this.position = Math.max(this.position, position);
  }

  private async send<K extends CallName>(
    name: K,
    input: AnyInput,
    { left = ATTEMPT, signal }: Attempt,
    headers: Headers,
  ): Promise<Answer<K>> {
    const server = this.servers.current;
    const waits = (calls[name] as Call).headers.request['Verbatim-Position'] !== undefined && this.position >= 0;
    const sent = waits ? { ...headers, 'verbatim-position': `${this.position}` } : headers;
    try {
      const answer = await within(Math.min(ATTEMPT, left), signal, (ending) =>
        ask(this.fetch, server, name, input, sent, ending),
      );
      if (answer.position !== null) this.wrote(answer.position);
      return answer;
    } catch (error) {
      // The server may be down; switching to another one without need does no harm.
      if (error instanceof Unanswered || (error instanceof VerbatimError && error.code === 'unavailable')) {
        this.servers.giveUp(server);
      }
      throw error;
    }
  }

  /** The session could not be renewed, so the call was not made. */
  private async accessToken(refused?: string): Promise<string> {
    try {
      return await this.session.accessToken(refused);
    } catch (error) {
      throw error instanceof Unanswered ? new Unanswered(false, error) : error;
    }
  }
}

const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });
