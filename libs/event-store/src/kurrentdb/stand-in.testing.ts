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
import { type Kept, type Proposed, StandInLog } from './stand-in-log.testing.js';
import * as messages from './stand-in-messages.testing.js';

/** What becomes of the next append. */
export type AppendFault =
  /** It is stored, and the answer never comes. */
  | 'answer lost'
  /** It is stored, and the call ends instead of an answer. */
  | 'call lost'
  /** It is not stored, and the answer never comes, as when the server is not ready to tell a repeated append. */
  | 'passed over';

type AppendCall = ServerDuplexStream<BatchAppendReq, BatchAppendResp>;
type ReadCall = ServerWritableStream<ReadReq, ReadResp>;

/**
 * Stands in for a KurrentDB in tests: speaks its protocol, by the definitions that the client brings along, to the real
 * client, and fails on demand.
 *
 * It imitates appends with an expected revision, which succeed again when their ids stand there already; the limit of an
 * append; reads of a stream and of everything, filtered by prefixes of stream names, from a position at which an event
 * begins; streams deleted and tombstoned; catch-up subscriptions with confirmation and "caught up"; and discovery, as
 * a cluster of one.
 *
 * It does not imitate anything on a disk, several nodes, followers and elections, TLS and users, regular expressions and
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

  static async start(port = 0): Promise<StandIn> {
    const standIn = new StandIn();
    await standIn.listen(port);
    return standIn;
  }

  get port(): number {
    return this.listeningAt;
  }

  get url(): string {
    return `kurrentdb://127.0.0.1:${this.port}?tls=false`;
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
        this.unlessRefusing(answer, () => answer(null, messages.cluster(this.port))),
    });
    this.server.addService(StreamsService, {
      batchAppend: (call: AppendCall) => this.takeAppends(call),
      read: (call: ReadCall) => this.read(call),
      delete: this.deleting((stream) => this.log.delete(stream), streams.DeleteResp),
      tombstone: this.deleting((stream) => this.log.tombstone(stream), streams.TombstoneResp),
    });
    this.listeningAt = await new Promise<number>((resolve, reject) => {
      const address = `127.0.0.1:${port}`;
      this.server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
  }

  // Faults ------------------------------------------------------------------------------------------------------------

  /** Ends every call, and every new one for so many milliseconds, as a server does that is about to go. */
  refuse(milliseconds: number): void {
    this.refusingUntil = performance.now() + milliseconds;
    for (const call of this.appending) call.emit('error', unavailable());
    this.dropSubscriptions();
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
    if (this.refusing) return void call.emit('error', unavailable());
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

const unavailable = () => failure(status.UNAVAILABLE, 'The server is not ready.');

function streamDeleted(stream: string) {
  const metadata = new Metadata();
  metadata.set('exception', 'stream-deleted');
  metadata.set('stream-name', stream);
  return failure(status.FAILED_PRECONDITION, `${stream} is deleted.`, metadata);
}
