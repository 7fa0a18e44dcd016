import gossip from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/gossip_pb.js';
import features from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/serverfeatures_pb.js';
import shared from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/shared_pb.js';
import status from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/status_pb.js';
import type {
  BatchAppendReq,
  BatchAppendResp,
  ReadReq,
  ReadResp,
} from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import streams from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import any from 'google-protobuf/google/protobuf/any_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import { type Kept, MOST_BYTES, type Outcome, type Proposed } from './stand-in-log.testing.js';

// What the stand-in says and hears, in the words of the protocol. Stream names go as bytes, whole numbers of 64 bits as
// decimal digits.

/** A part of an append; the last one of a correlation id is final, and the first one has the options. */
export interface AppendPart {
  readonly correlation: string;
  readonly target: { readonly stream: string; readonly expected: bigint | 'any' } | null;
  readonly events: readonly Proposed[];
  readonly final: boolean;
}

export function appendPart(request: BatchAppendReq): AppendPart {
  const options = request.getOptions();
  const expected = options?.hasNoStream()
    ? -1n
    : options?.hasStreamPosition()
      ? BigInt(options.getStreamPosition())
      : 'any';
  return {
    correlation: request.getCorrelationId()?.getString() ?? '',
    target: options ? { stream: nameIn(options), expected } : null,
    events: request.getProposedMessagesList().map((message) => ({
      id: message.getId()?.getString() ?? '',
      type: message.getMetadataMap().get('type') ?? '',
      contentType: message.getMetadataMap().get('content-type') ?? '',
      data: message.getData_asU8(),
      metadata: message.getCustomMetadata_asU8(),
    })),
    final: request.getIsFinal(),
  };
}

export function appendAnswer(correlation: string, stream: string, outcome: Outcome): BatchAppendResp {
  const answer = new streams.BatchAppendResp();
  answer.setCorrelationId(uuid(correlation));
  answer.setStreamIdentifier(identifier(stream));
  if (outcome.kind !== 'written') return answer.setError(refusal(outcome, stream));
  const success = new streams.BatchAppendResp.Success();
  success.setCurrentRevision(`${outcome.revision}`);
  const position = new shared.AllStreamPosition();
  position.setCommitPosition(`${outcome.position}`).setPreparePosition(`${outcome.position}`);
  return answer.setSuccess(success.setPosition(position));
}

/** What a read or a subscription is to bring. */
export interface Wish {
  /** Null for the log of all streams. */
  readonly stream: string | null;
  readonly from: bigint | 'start' | 'end';
  readonly forwards: boolean;
  /** Undefined for a subscription. */
  readonly count: number | undefined;
  readonly wanted: (event: Kept) => boolean;
}

export function wishOf(request: ReadReq): Wish {
  const options = request.getOptions() as ReadReq.Options;
  const [stream, all] = [options.getStream(), options.getAll()];
  const from = stream?.hasRevision()
    ? BigInt(stream.getRevision())
    : BigInt(all?.getPosition()?.getCommitPosition() ?? 0);
  const end = stream?.hasEnd() || all?.hasEnd();
  const start = stream?.hasStart() || all?.hasStart();
  const prefixes = options.getFilter()?.getStreamIdentifier()?.getPrefixList();
  return {
    stream: stream ? nameIn(stream) : null,
    from: end ? 'end' : start ? 'start' : from,
    forwards: options.getReadDirection() === streams.ReadReq.Options.ReadDirection.FORWARDS,
    count: options.hasSubscription() ? undefined : Number(options.getCount()),
    wanted: (event) => !prefixes || prefixes.some((prefix) => event.stream.startsWith(prefix)),
  };
}

export function eventMessage(event: Kept): ReadResp {
  const recorded = new streams.ReadResp.ReadEvent.RecordedEvent();
  recorded.setId(uuid(event.id)).setStreamIdentifier(identifier(event.stream)).setStreamRevision(`${event.revision}`);
  recorded.setCommitPosition(`${event.position}`).setPreparePosition(`${event.position}`);
  recorded.setData(event.data).setCustomMetadata(event.metadata);
  const metadata = recorded.getMetadataMap();
  metadata.set('type', event.type).set('content-type', event.contentType).set('created', event.created);
  const read = new streams.ReadResp.ReadEvent();
  return new streams.ReadResp().setEvent(read.setEvent(recorded).setCommitPosition(`${event.position}`));
}

export const confirmation = (): ReadResp =>
  new streams.ReadResp().setConfirmation(
    new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId(crypto.randomUUID()),
  );

export const caughtUp = (): ReadResp => new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp());

export const streamNotFound = (stream: string): ReadResp =>
  new streams.ReadResp().setStreamNotFound(
    new streams.ReadResp.StreamNotFound().setStreamIdentifier(identifier(stream)),
  );

/** The methods that are served, which both halves of the client ask for. */
export function supported(methods: readonly string[]): InstanceType<typeof features.SupportedMethods> {
  const list = methods.map((method) => {
    const [, service = '', name = ''] = method.split('/');
    return new features.SupportedMethod().setServiceName(service.toLowerCase()).setMethodName(name.toLowerCase());
  });
  return new features.SupportedMethods().setEventStoreServerVersion('25.0.0').setMethodsList(list);
}

/** A cluster of one, which leads itself or looks for a leader. */
export function cluster(port: number, leads: boolean): InstanceType<typeof gossip.ClusterInfo> {
  const member = new gossip.MemberInfo();
  member.setInstanceId(uuid(crypto.randomUUID())).setIsAlive(true).setTimeStamp(`${Date.now()}`);
  member.setState(gossip.MemberInfo.VNodeState[leads ? 'LEADER' : 'UNKNOWN']);
  member.setHttpEndPoint(new gossip.EndPoint().setAddress('127.0.0.1').setPort(port));
  return new gossip.ClusterInfo().setMembersList([member]);
}

export const nameIn = (part: {
  getStreamIdentifier(): InstanceType<typeof shared.StreamIdentifier> | undefined;
}): string => Buffer.from(part.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString('utf8');

function refusal(outcome: Exclude<Outcome, { kind: 'written' }>, stream: string) {
  const details = new any.Any();
  if (outcome.kind === 'wrong revision') {
    const wrong = new shared.WrongExpectedVersion();
    if (outcome.current < 0n) wrong.setCurrentNoStream(new empty.Empty());
    else wrong.setCurrentStreamRevision(`${outcome.current}`);
    details.pack(wrong.serializeBinary(), 'event_store.client.WrongExpectedVersion');
  } else if (outcome.kind === 'too large') {
    const tooLarge = new shared.MaximumAppendSizeExceeded().setMaxappendsize(MOST_BYTES);
    details.pack(tooLarge.serializeBinary(), 'event_store.client.MaximumAppendSizeExceeded');
  } else {
    const deleted = new shared.StreamDeleted().setStreamIdentifier(identifier(stream));
    details.pack(deleted.serializeBinary(), 'event_store.client.StreamDeleted');
  }
  return new status.Status().setMessage(outcome.kind).setDetails(details);
}

const uuid = (id: string) => new shared.UUID().setString(id);

const identifier = (stream: string) =>
  new shared.StreamIdentifier().setStreamName(Buffer.from(stream).toString('base64'));
