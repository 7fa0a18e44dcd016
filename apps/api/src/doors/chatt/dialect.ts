import type { Rejection } from '@verbatim/domain';
import type { IConnectPacket } from 'mqtt-packet';
import type { NotAdmitted } from './admission.js';
import type { Ending } from './endings.js';
import { Mqtt3 } from './mqtt3.js';
import { Mqtt5 } from './mqtt5.js';
import { termsOf } from './terms.js';
import type { NoFilter } from './topics.js';

/** What comes of a subscription: its QoS, or why there is none. */
export type Grant = 0 | 1 | NoFilter | 'tooMany';

/** What the broker says to a client, in the version of the protocol that the client speaks. */
export interface Dialect {
  /** The client is let in; `assignedId`: with this client id, because it has none of its own. */
  welcome(sessionPresent: boolean, assignedId: string | null): Buffer;
  /** Somebody is not let in. Null: there is nothing to say, the connection is closed. */
  refuse(why: NotAdmitted): Buffer | null;
  /** A publication was dealt with; at QoS 2, this is the first half. `refusal`: it came to nothing. */
  received(qos: 1 | 2, messageId: number, refusal: Rejection | null): Buffer;
  /** The second half of QoS 2. `known`: the first half was there. */
  released(messageId: number, known: boolean): Buffer;
  subscribed(messageId: number, grants: readonly Grant[]): Buffer;
  /** `existed`: for each filter, whether there was a subscription. */
  unsubscribed(messageId: number, existed: readonly boolean[]): Buffer;
  /** The connection is ended. Null: there is nothing to say. */
  ended(why: Ending): Buffer | null;
}

export const dialectFor = (connect: IConnectPacket): Dialect =>
  connect.protocolVersion === 5 ? new Mqtt5(termsOf(connect), connect) : new Mqtt3();
