/** Why the broker ends a connection: the reason codes of MQTT 5 (3.14.2.1). MQTT 3.1.1 has none. */
export const endings = {
  failed: 0x80,
  malformed: 0x81,
  protocol: 0x82,
  notAuthorized: 0x87,
  busy: 0x89,
  shuttingDown: 0x8b,
  silent: 0x8d,
  takenOver: 0x8e,
  topic: 0x90,
  receiveMaximum: 0x93,
  topicAlias: 0x94,
  tooLarge: 0x95,
  tooFast: 0x96,
  tooSlow: 0x97,
  expelled: 0x98,
  retain: 0x9a,
  subscriptionIdentifiers: 0xa1,
} as const;

export type Ending = keyof typeof endings;

/** A packet that is malformed or not allowed. It ends the connection. */
export class BadPacket extends Error {
  constructor(
    message: string,
    readonly ending: Ending = 'malformed',
  ) {
    super(message);
  }
}
