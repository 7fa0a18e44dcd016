import type { IConnectPacket } from 'mqtt-packet';

/** Maximum session expiry in seconds. */
export const longestKept = 30 * 86_400;
/** Hours for which a repeated text is recognized. */
export const repeatHours = 24;

/** What a client asks for in CONNECT, in any version of the protocol. */
export interface Terms {
  /** 4 is MQTT 3.1.1, and 3.1 too. */
  readonly version: 4 | 5;
  /** Deletes the previous session instead of resuming it. */
  readonly cleanStart: boolean;
  /** Seconds for which the session is kept after the connection; 0: not at all. */
  readonly keepSeconds: number;
  /** Unacknowledged texts at QoS 1 that it accepts. */
  readonly receiveMaximum: number;
  /** Bytes of the longest packet that it accepts. */
  readonly maximumPacket: number;
  /** Whether refusals carry a reason in words. */
  readonly reasons: boolean;
}

export function termsOf({ protocolVersion, clean = true, properties = {} }: IConnectPacket): Terms {
  const unlimited = Number.POSITIVE_INFINITY;
  if (protocolVersion !== 5)
    return {
      version: 4,
      cleanStart: clean,
      keepSeconds: clean ? 0 : longestKept,
      receiveMaximum: unlimited,
      maximumPacket: unlimited,
      reasons: false,
    };
  const { sessionExpiryInterval = 0, receiveMaximum = 65_535, maximumPacketSize = unlimited } = properties;
  return {
    version: 5,
    cleanStart: clean,
    keepSeconds: Math.min(sessionExpiryInterval, longestKept),
    receiveMaximum,
    maximumPacket: maximumPacketSize,
    reasons: properties.requestProblemInformation ?? true,
  };
}
