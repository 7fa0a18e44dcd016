import type { Packet } from 'mqtt-packet';
import { BadPacket } from './endings.js';

type Properties = Readonly<Record<string, unknown>>;

const ofMessages = [
  'payloadFormatIndicator',
  'messageExpiryInterval',
  'contentType',
  'responseTopic',
  'correlationData',
];

/** What clients may say in each packet besides what they say in all (MQTT 5, 2.2.2.2). */
const known: { readonly [C in Packet['cmd']]?: readonly string[] } = {
  connect: [
    ...['sessionExpiryInterval', 'receiveMaximum', 'maximumPacketSize', 'topicAliasMaximum'],
    ...['requestResponseInformation', 'requestProblemInformation', 'authenticationMethod', 'authenticationData'],
  ],
  publish: [...ofMessages, 'topicAlias'],
  puback: ['reasonString'],
  pubrel: ['reasonString'],
  subscribe: ['subscriptionIdentifier'],
  unsubscribe: [],
  disconnect: ['sessionExpiryInterval', 'reasonString'],
  auth: ['authenticationMethod', 'authenticationData', 'reasonString'],
};
const ofWills = [...ofMessages, 'willDelayInterval'];

/** Numbers that must not be 0. */
const positive = ['receiveMaximum', 'maximumPacketSize'];

/** Throws BadPacket if the properties of a packet of MQTT 5 are not allowed there, come twice, or have no value. */
export function checkProperties(packet: Packet): void {
  if ('properties' in packet) check(packet.properties as Properties, known[packet.cmd] ?? []);
  if (packet.cmd !== 'connect') return;
  if (packet.will?.properties) check(packet.will.properties as Properties, ofWills);
  const { authenticationMethod, authenticationData } = packet.properties ?? {};
  if (authenticationData && authenticationMethod === undefined) wrong('Authentication data without a method.');
}

function check(properties: Properties | undefined, allowed: readonly string[]): void {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (name === 'userProperties') continue;
    if (!allowed.includes(name)) wrong(`There is no ${name} here.`);
    if (Array.isArray(value)) wrong(`There is more than one ${name}.`);
    if (value === null || value === undefined || value === -1) throw new BadPacket(`There is no value for ${name}.`);
    if (value === 0 && positive.includes(name)) wrong(`${name} must not be 0.`);
  }
}

function wrong(message: string): never {
  throw new BadPacket(message, 'protocol');
}
