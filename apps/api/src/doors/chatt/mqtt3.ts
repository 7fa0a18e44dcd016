import type { Rejection } from '@verbatim/domain';
import { generate } from 'mqtt-packet';
import type { NotAdmitted } from './admission.js';
import type { Dialect, Grant } from './dialect.js';

/** MQTT 3.1.1, 3.2.2.3. */
const returnCodes: { readonly [W in NotAdmitted]: number | null } = {
  version: 1,
  identifier: 2,
  busy: 3,
  credentials: 4,
  notAuthorized: 5,
  banned: 5,
  authentication: 5,
  retain: 5,
  later: null,
};

/** MQTT 3.1.1. It cannot refuse a publication, so a refused one is acknowledged like any other. */
export class Mqtt3 implements Dialect {
  welcome(sessionPresent: boolean): Buffer {
    return generate({ cmd: 'connack', returnCode: 0, sessionPresent });
  }

  refuse(why: NotAdmitted): Buffer | null {
    const returnCode = returnCodes[why];
    return returnCode === null ? null : generate({ cmd: 'connack', returnCode, sessionPresent: false });
  }

  received(qos: 1 | 2, messageId: number, _refusal: Rejection | null): Buffer {
    return generate({ cmd: qos === 1 ? 'puback' : 'pubrec', messageId });
  }

  released(messageId: number): Buffer {
    return generate({ cmd: 'pubcomp', messageId });
  }

  subscribed(messageId: number, grants: readonly Grant[]): Buffer {
    const granted = grants.map((grant) => (typeof grant === 'number' ? grant : 0x80));
    return generate({ cmd: 'suback', messageId, granted });
  }

  unsubscribed(messageId: number): Buffer {
    return generate({ cmd: 'unsuback', messageId, granted: [] });
  }

  ended(): null {
    return null;
  }
}
