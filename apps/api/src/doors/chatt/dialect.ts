import type { Rejection } from '@verbatim/domain';
import type { NotAdmitted } from './admission.js';
import type { Ending } from './endings.js';
import type { NoFilter } from './topics.js';

/** The result of a subscription: the granted QoS, or why it was refused. */
export type Grant = 0 | 1 | NoFilter | 'tooMany';

/** The broker's packets in the client's version of the protocol. */
export interface Dialect {
  /** CONNACK of an accepted client. `assignedId`: the id given to a client without one. */
  welcome(sessionPresent: boolean, assignedId: string | null): Buffer;
  /** CONNACK of a refused client. Null: close without an answer. */
  refuse(why: NotAdmitted): Buffer | null;
  /** PUBACK or, at QoS 2, PUBREC. `refusal`: nothing was stored. */
  received(qos: 1 | 2, messageId: number, refusal: Rejection | null): Buffer;
  /** PUBCOMP. `known`: there was a PUBREC. */
  released(messageId: number, known: boolean): Buffer;
  subscribed(messageId: number, grants: readonly Grant[]): Buffer;
  /** `existed`: whether each filter had a subscription. */
  unsubscribed(messageId: number, existed: readonly boolean[]): Buffer;
  /** DISCONNECT. Null: the version has none for servers. */
  ended(why: Ending): Buffer | null;
}
