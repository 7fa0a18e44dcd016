import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerWritableStream,
  type StatusObject,
  status,
} from '@grpc/grpc-js';
import { GossipService } from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/gossip_grpc_pb.js';
import { ServerFeaturesService } from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/serverfeatures_grpc_pb.js';
import { StreamsService } from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_grpc_pb.js';
import type {
  BatchAppendReq,
  BatchAppendResp,
  DeleteReq,
  ReadReq,
  ReadResp,
} from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import streams from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import { testCertificates } from '../certificates.testing.js';
import { type Kept, type Proposed, StandInLog } from './stand-in-log.testing.js';
import * as messages from './stand-in-messages.testing.js';

/** What becomes of the next append. */
export type AppendFault =
  /** It is stored, and the answer never comes. */
  | 'answer lost'
  /** It is stored, and the call ends instead of an answer. */
  | 'call lost'
  /** It is not stored, and the answer never comes, as when the server cannot yet recognize a repeated append. */
  | 'passed over';

/** How reads and subscriptions fail while appends go on: in the ways of a real server and of what is between it and us. */
export type ReadRefusal =
  /** gRPC 14, as a node answers that is starting, stopping, or has no quorum. */
  | 'not ready'
  /** gRPC 4, by the server itself. */
  | 'too late'
  /** Never answered. */
  | 'silent'
  /** gRPC 7, as those are answered who are not in `$admins`. */
  | 'access denied'
  /** gRPC 16, as a wrong password is answered. */
  | 'not signed in'
  /** gRPC 2, as a follower answers that knows of no leader. */
  | 'no leader';

export interface StandInOptions {
  readonly port?: number;
  /** Speaks TLS, with a certificate by the authority of the tests. */
  readonly tls?: boolean;
  /** Who may do what, by their passwords, as on a server with security on; absent: everybody everything. */
  readonly users?: Readonly<Record<string, { readonly password: string; readonly admin: boolean }>>;
}

type AppendCall = ServerDuplexStream<BatchAppendReq, BatchAppendResp>;
type ReadCall = ServerWritableStream<ReadReq, ReadResp>;

/**
 * Stands in for a KurrentDB in tests: speaks its protocol, by the definitions that the client brings along, to the real
 * client, and fails on demand.
 *
 * It imitates appends with an expected revision, which succeed again when their ids stand there already; the limit of an
 * append; reads of a stream and of everything, filtered by prefixes of stream names, from a position at which an event
 * begins; streams deleted and tombstoned; catch-up subscriptions with confirmation and "caught up"; discovery, as
 * a cluster of one that may lack a leader; TLS; and users, of whom only those of `$admins` may read.
 *
 * It does not imitate anything on a disk, several nodes, followers and elections, regular expressions and
 * filters by type, links, projections, persistent subscriptions, checkpoints, what metadata of streams lead to,
 * scavenging, appends other than by `BatchAppend`, and how fast a server is.
 */
export class StandIn {
  readonly log = new StandInLog();
  private server = new Server();
  private listeningAt = 0;
  private refusingUntil = 0;
  private appendFault: AppendFault | undefined;
  private delays = { append: 0, read: 0 };
  private deliverTwice = false;
  private readonly appending = new Set<AppendCall>();
  private readonly subscriptions = new Set<ReadCall>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readRefusal: ReadRefusal | null = null;
  private leaderless = false;
  /** The header Authorization of each call that came with one, by the path of the method. */
  readonly authorizations: { readonly method: string; readonly header: string }[] = [];

  static async start(options: StandInOptions = {}): Promise<StandIn> {
    const standIn = new StandIn(options);
    await standIn.listen(options.port ?? 0);
    return standIn;
  }

  private constructor(private readonly options: StandInOptions) {}

  get port(): number {
    return this.listeningAt;
  }

  get url(): string {
    return `kurrentdb://127.0.0.1:${this.port}?tls=${this.options.tls ?? false}`;
  }

  /** How many subscriptions there are. */
  get subscribers(): number {
    return this.subscriptions.size;
  }

  /** Ends all connections; with the data still there, `listen` goes on. */
  stop(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.server.forceShutdown();
    this.appending.clear();
    this.subscriptions.clear();
  }

  /** Serves at the port, by default the one it had before. */
  async listen(port = this.listeningAt): Promise<void> {
    this.server = new Server({ 'grpc.max_receive_message_length': 17 * 1_048_576 });
    this.server.addService(ServerFeaturesService, {
      getSupportedMethods: (_: unknown, answer: (error: null, methods: unknown) => void) =>
        this.unlessRefusing(answer, () =>
          answer(null, messages.supported(Object.values(StreamsService).map(({ path }) => path))),
        ),
    });
    this.server.addService(GossipService, {
      read: (_: unknown, answer: (error: null, members: unknown) => void) =>
        this.unlessRefusing(answer, () => answer(null, messages.cluster(this.port, !this.leaderless))),
    });
    this.server.addService(StreamsService, {
      batchAppend: (call: AppendCall) => this.takeAppends(call),
      read: (call: ReadCall) => this.read(call),
      delete: this.deleting((stream) => this.log.delete(stream), streams.DeleteResp),
      tombstone: this.deleting((stream) => this.log.tombstone(stream), streams.TombstoneResp),
    });
    this.listeningAt = await new Promise<number>((resolve, reject) => {
      const address = `127.0.0.1:${port}`;
      this.server.bindAsync(address, this.credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
    });
  }

  // Faults ------------------------------------------------------------------------------------------------------------

  /** Ends every call, and every new one for so many milliseconds, as a server does that is about to go. */
  refuse(milliseconds: number): void {
    this.refusingUntil = performance.now() + milliseconds;
    for (const call of this.appending) call.emit('error', unavailable());
    this.dropSubscriptions();
  }

  /** From now on refuses reads, and ends subscriptions and refuses new ones; null: no more. */
  refuseReads(how: ReadRefusal | null): void {
    this.readRefusal = how;
    if (how !== null) this.dropSubscriptions();
  }

  /** From now on the cluster has no leader, or has one again. Those who look for one do not find any node; it does nothing. */
  loseLeader(lost = true): void {
    this.leaderless = lost;
    if (lost) for (const call of this.appending) call.emit('error', unavailable());
    this.refuseReads(lost ? 'no leader' : null);
  }

  /** Keeps the next answers to an append and to a read for so many milliseconds. */
  answerLate(milliseconds: number): void {
    this.delays = { append: milliseconds, read: milliseconds };
  }

  failNextAppend(fault: AppendFault): void {
    this.appendFault = fault;
  }

  dropSubscriptions(): void {
    for (const call of this.subscriptions) call.emit('error', unavailable());
    this.subscriptions.clear();
  }

  /** Every subscription gets the next event twice. */
  duplicate(): void {
    this.deliverTwice = true;
  }

  /** Is gone for so many milliseconds, then comes back with all that was stored. */
  restart(milliseconds: number): void {
    this.stop();
    this.later(milliseconds, () => void this.listen());
  }

  // Service -----------------------------------------------------------------------------------------------------------

  private takeAppends(call: AppendCall): void {
    if (this.refusing || this.leaderless) return void call.emit('error', unavailable());
    const refused = this.refusalOf(call, false);
    if (refused) return void call.emit('error', refused);
    this.appending.add(call);
    call.on('close', () => this.appending.delete(call));
    // Never ended from here in good order: the client would wait for its answers for ever.
    call.on('error', () => this.appending.delete(call));
    const incomplete = new Map<string, { stream: string; expected: bigint | 'any'; events: Proposed[] }>();
    call.on('data', (request: BatchAppendReq) => {
      const { correlation, target, events, final } = messages.appendPart(request);
      if (target) incomplete.set(correlation, { ...target, events: [] });
      const append = incomplete.get(correlation);
      append?.events.push(...events);
      if (!append || !final) return;
      incomplete.delete(correlation);
      this.append(call, correlation, append);
    });
  }

  private append(
    call: AppendCall,
    correlation: string,
    { stream, expected, events }: { stream: string; expected: bigint | 'any'; events: readonly Proposed[] },
  ): void {
    const fault = this.appendFault;
    this.appendFault = undefined;
    if (fault === 'passed over') return;
    const outcome = this.log.append(stream, expected, events);
    if (fault === 'answer lost') return;
    if (fault === 'call lost') return void call.emit('error', unavailable());
    this.afterDelay('append', () => call.write(messages.appendAnswer(correlation, stream, outcome)));
  }

  private read(call: ReadCall): void {
    if (this.refusing) return void call.emit('error', unavailable());
    const refused = this.refusalOf(call, true);
    if (refused) return void call.emit('error', refused);
    if (this.readRefusal === 'silent') return;
    if (this.readRefusal) return void call.emit('error', readRefusals[this.readRefusal]());
    const wish = messages.wishOf(call.request);
    if (wish.count === undefined) this.subscribe(call, wish);
    else this.afterDelay('read', () => this.answerRead(call, wish));
  }

  private answerRead(call: ReadCall, { stream, from, forwards, count = 0, wanted }: messages.Wish): void {
    if (stream === null) {
      const found = this.log.readAll(from, forwards, count, wanted);
      if (!found) return void call.emit('error', failure(status.UNKNOWN, 'No event begins at this position.'));
      for (const event of found) call.write(messages.eventMessage(event));
      return void call.end();
    }
    const found = this.log.readStream(stream, from === 'start' ? 0n : from, forwards, count);
    if (found === 'tombstoned') return void call.emit('error', streamDeleted(stream));
    if (!found) call.write(messages.streamNotFound(stream));
    for (const event of found ?? []) call.write(messages.eventMessage(event));
    call.end();
  }

  /** Subscriptions begin after the position that they name; reads, at it. */
  private subscribe(call: ReadCall, { from, wanted }: messages.Wish): void {
    const past = this.log.readAll(from, true, Number.MAX_SAFE_INTEGER, wanted);
    if (!past) return void call.emit('error', failure(status.UNKNOWN, 'No event begins at this position.'));
    this.subscriptions.add(call);
    call.write(messages.confirmation());
    for (const event of past) if (event.position !== from) call.write(messages.eventMessage(event));
    call.write(messages.caughtUp());
    const deaf = this.log.listen((event: Kept) => {
      if (!wanted(event) || !this.subscriptions.has(call)) return;
      call.write(messages.eventMessage(event));
      if (this.deliverTwice) call.write(messages.eventMessage(event));
      // For all who listen, before the next event.
      queueMicrotask(() => {
        this.deliverTwice = false;
      });
    });
    const over = () => {
      deaf();
      this.subscriptions.delete(call);
    };
    call.on('cancelled', over).on('error', over).on('close', over);
  }

  private deleting(
    remove: (stream: string) => bigint,
    Answer: typeof streams.DeleteResp | typeof streams.TombstoneResp,
  ) {
    return (
      { request }: { request: DeleteReq },
      answer: (error: Partial<StatusObject> | null, done?: unknown) => void,
    ) =>
      this.unlessRefusing(answer, () => {
        const options = request.getOptions();
        const position = new Answer.Position();
        const place = `${remove(options ? messages.nameIn(options) : '')}`;
        answer(null, new Answer().setPosition(position.setCommitPosition(place).setPreparePosition(place)));
      });
  }

  private get credentials(): ServerCredentials {
    if (!this.options.tls) return ServerCredentials.createInsecure();
    const { certificate, key } = testCertificates;
    return ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(certificate), private_key: Buffer.from(key) }]);
  }

  /** Why this caller may not do this, if so; notes how they said who they are. */
  private refusalOf(call: AppendCall | ReadCall, reads: boolean): Error | null {
    const header = call.metadata.get('authorization')[0]?.toString();
    if (header !== undefined) this.authorizations.push({ method: call.getPath(), header });
    const { users } = this.options;
    if (!users) return null;
    const [name = '', ...rest] = Buffer.from(header?.replace('Basic ', '') ?? '', 'base64')
      .toString('utf8')
      .split(':');
    const user = users[name];
    if (!user || user.password !== rest.join(':')) return notSignedIn();
    return reads && !user.admin ? accessDenied() : null;
  }

  private get refusing(): boolean {
    return performance.now() < this.refusingUntil;
  }

  private unlessRefusing(refuse: (error: never, nothing: never) => void, work: () => void): void {
    if (this.refusing) refuse(unavailable() as never, null as never);
    else work();
  }

  private afterDelay(kind: 'append' | 'read', answer: () => void): void {
    const delay = this.delays[kind];
    this.delays[kind] = 0;
    if (delay > 0) this.later(delay, answer);
    else answer();
  }

  private later(milliseconds: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      work();
    }, milliseconds);
    this.timers.add(timer);
  }
}

const failure = (code: status, details: string, metadata = new Metadata()): Error & Partial<StatusObject> =>
  Object.assign(new Error(details), { code, details, metadata });

function accessDenied() {
  const metadata = new Metadata();
  metadata.set('exception', 'access-denied');
  return failure(status.PERMISSION_DENIED, 'Access Denied', metadata);
}

const notSignedIn = () => failure(status.UNAUTHENTICATED, 'Unauthenticated');

const readRefusals: Readonly<Record<Exclude<ReadRefusal, 'silent'>, () => Error>> = {
  'not ready': () => failure(status.UNAVAILABLE, 'Server Is Not Ready'),
  'too late': () => failure(status.DEADLINE_EXCEEDED, 'Operation timed out.'),
  'access denied': accessDenied,
  'not signed in': notSignedIn,
  'no leader': () => failure(status.UNKNOWN, 'No leader info available in response'),
};

const unavailable = () => failure(status.UNAVAILABLE, 'The server is not ready.');

function streamDeleted(stream: string) {
  const metadata = new Metadata();
  metadata.set('exception', 'stream-deleted');
  metadata.set('stream-name', stream);
  return failure(status.FAILED_PRECONDITION, `${stream} is deleted.`, metadata);
}
