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

/** The properties allowed in each packet of a client, besides user properties (MQTT 5, 2.2.2.2). */
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

/** Properties that must not be 0. */
const positive = ['receiveMaximum', 'maximumPacketSize'];

/** Throws BadPacket if a property of a packet is not allowed there, is repeated, or has no value. */
export function checkProperties(packet: Packet): void {
  if ('properties' in packet) check(packet.properties as Properties, known[packet.cmd] ?? []);
  if (packet.cmd !== 'connect') return;
  if (packet.will?.properties) check(packet.will.properties as Properties, ofWills);
  const { authenticationMethod, authenticationData } = packet.properties ?? {};
  if (authenticationData && authenticationMethod === undefined)
    wrong('authenticationData needs an authenticationMethod.');
}

function check(properties: Properties | undefined, allowed: readonly string[]): void {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (name === 'userProperties') continue;
    if (!allowed.includes(name)) wrong(`${name} is not allowed here.`);
    if (Array.isArray(value)) wrong(`${name} is repeated.`);
    if (value === null || value === undefined || value === -1) throw new BadPacket(`${name} has no value.`);
    if (value === 0 && positive.includes(name)) wrong(`${name} must not be 0.`);
  }
}

function wrong(message: string): never {
  throw new BadPacket(message, 'protocol');
}
