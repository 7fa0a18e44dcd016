import type { IConnectPacket } from 'mqtt-packet';

/** Seconds for which sessions are kept, at most. */
export const longestKept = 30 * 86_400;
/** Hours for which a text that comes again is known. */
export const repeatHours = 24;

/** What a client asks for when it connects, whichever version of the protocol it speaks. */
export interface Terms {
  /** 3.1 is spoken like 3.1.1. */
  readonly version: 4 | 5;
  /** Whether it begins startsClean, rather than go on with a session that was kept. */
  readonly startsClean: boolean;
  /** Seconds for which the session is kept when the connection has ended; 0: it is not. */
  readonly keepSeconds: number;
  /** Texts at QoS 1 that it takes at a time before it has acknowledged one of them. */
  readonly receiveMaximum: number;
  /** Bytes of a packet that it takes. */
  readonly maximumPacket: number;
  /** Whether it wants to be told in words why something is refused. */
  readonly reasons: boolean;
}

export function termsOf({ protocolVersion, clean = true, properties = {} }: IConnectPacket): Terms {
  const unlimited = Number.POSITIVE_INFINITY;
  if (protocolVersion !== 5)
    return {
      version: 4,
      startsClean: clean,
      keepSeconds: clean ? 0 : longestKept,
      receiveMaximum: unlimited,
      maximumPacket: unlimited,
      reasons: false,
    };
  const { sessionExpiryInterval = 0, receiveMaximum = 65_535, maximumPacketSize = unlimited } = properties;
  return {
    version: 5,
    startsClean: clean,
    keepSeconds: Math.min(sessionExpiryInterval, longestKept),
    receiveMaximum,
    maximumPacket: maximumPacketSize,
    reasons: properties.requestProblemInformation ?? true,
  };
}
