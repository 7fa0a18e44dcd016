import type { Rejection, RejectionReason } from '@verbatim/domain';
import { generate, type IConnectPacket, type Packet } from 'mqtt-packet';
import type { NotAdmitted } from './admission.js';
import type { Dialect, Grant } from './dialect.js';
import { type Ending, endings } from './endings.js';
import { maxPacketBytes, receiveMaximum } from './packets.js';
import type { Terms } from './terms.js';

/** MQTT 5, 3.2.2.2. */
const refusals: { readonly [W in NotAdmitted]: number | null } = {
  version: 0x84,
  identifier: 0x85,
  credentials: 0x86,
  notAuthorized: 0x87,
  banned: 0x8a,
  authentication: 0x8c,
  busy: 0x97,
  retain: 0x9a,
  // Clients give up after a refusal, and reconnect after a closed connection.
  later: null,
};

/** Reason codes of refused publications (3.4.2.1). All others are `notAuthorized`. */
const publicationRefusals: { readonly [R in RejectionReason]?: number } = {
  NotFound: 0x90,
  TooSoon: 0x97,
  Invalid: 0x99,
};
const notAuthorized = 0x87;

/** Reason codes of refused subscriptions (3.9.3). */
const noGrants: { readonly [G in Exclude<Grant, number>]: number } = {
  foreign: notAuthorized,
  malformed: 0x8f,
  tooMany: 0x97,
  shared: 0x9e,
};

const unknownPacketId = 0x92;
const noSubscription = 0x11;

/** MQTT 5: announces what this broker does not support, and gives reasons for refusals. */
export class Mqtt5 implements Dialect {
  constructor(
    private readonly terms: Terms,
    private readonly connect: IConnectPacket,
  ) {}

  welcome(sessionPresent: boolean, assignedId: string | null): Buffer {
    const { keepSeconds } = this.terms;
    const asked = this.connect.properties?.sessionExpiryInterval ?? 0;
    return write({
      cmd: 'connack',
      reasonCode: 0,
      sessionPresent,
      properties: {
        ...(keepSeconds === asked ? {} : { sessionExpiryInterval: keepSeconds }),
        ...(assignedId === null ? {} : { assignedClientIdentifier: assignedId }),
        receiveMaximum,
        maximumPacketSize: maxPacketBytes,
        topicAliasMaximum: 0,
        retainAvailable: false,
        subscriptionIdentifiersAvailable: false,
        sharedSubscriptionAvailable: false,
      },
    });
  }

  refuse(why: NotAdmitted): Buffer | null {
    const reasonCode = refusals[why];
    return reasonCode === null ? null : write({ cmd: 'connack', reasonCode, sessionPresent: false });
  }

  received(qos: 1 | 2, messageId: number, refusal: Rejection | null): Buffer {
    const reasonCode = refusal ? (publicationRefusals[refusal.rejected] ?? notAuthorized) : 0;
    const plain = { cmd: qos === 1 ? 'puback' : 'pubrec', messageId, reasonCode } as const;
    if (!refusal || !this.terms.reasons) return write(plain);
    const detailed = write({ ...plain, properties: { reasonString: refusal.detail } });
    return detailed.length <= this.terms.maximumPacket ? detailed : write(plain);
  }

  released(messageId: number, known: boolean): Buffer {
    return write({ cmd: 'pubcomp', messageId, reasonCode: known ? 0 : unknownPacketId });
  }

  subscribed(messageId: number, grants: readonly Grant[]): Buffer {
    const granted = grants.map((grant) => (typeof grant === 'number' ? grant : noGrants[grant]));
    return write({ cmd: 'suback', messageId, granted });
  }

  unsubscribed(messageId: number, existed: readonly boolean[]): Buffer {
    return write({ cmd: 'unsuback', messageId, granted: existed.map((did) => (did ? 0 : noSubscription)) });
  }

  ended(why: Ending): Buffer {
    return write({ cmd: 'disconnect', reasonCode: endings[why] });
  }
}

const write = (packet: Packet): Buffer => generate(packet, { protocolVersion: 5 });
