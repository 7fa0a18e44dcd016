import type { Socket } from 'node:net';
import { generate } from 'mqtt-packet';
import { type Attack, again, type Target } from './attack.testing.js';
import { BLOCK_BYTES, BYTES_PER_SECOND, REOPENED_MS, SOCKETS } from './frame-floods.testing.js';
import { clientFrame, filled, flood, openUpgraded, openWire } from './wire.testing.js';

/** Small packets, sent by one guest on several connections to a door for older clients. Nothing is read. */
function doorFlood(
  name: string,
  block: Buffer,
  prepare: (target: Target) => Promise<(i: number) => Promise<Socket>>,
): Attack {
  return {
    name,
    async prepare(target) {
      const open = await prepare(target);
      return async (signal, deeds) => {
        deeds.sockets = 0;
        deeds.bytes = 0;
        const attackAgain = (i: number) =>
          again(signal, REOPENED_MS, async () => {
            const wire = await open(i);
            deeds.sockets = (deeds.sockets ?? 0) + 1;
            deeds.bytes = (deeds.bytes ?? 0) + (await flood(wire, block, BYTES_PER_SECOND, signal));
          });
        await Promise.all(Array.from({ length: SOCKETS }, (_, i) => attackAgain(i)));
      };
    },
  };
}

const join = clientFrame('text', Buffer.from(JSON.stringify({ event_type: 'join', name: 'flooder', color: 'blue' })));

const chitchatFlood = (name: string, frame: Buffer) =>
  doorFlood(name, filled(BLOCK_BYTES, frame), async ({ doors }) => {
    const room = await fetch(`${doors.chitchat}/chats`, {
      method: 'POST',
      body: JSON.stringify({ title: name, visibility: 'public', password: '', description: '' }),
    });
    const { id } = (await room.json()) as { id: number };
    return async () => {
      const wire = await openUpgraded(`${doors.chitchat}/chats/${id}/ws`);
      wire.write(join);
      return wire;
    };
  });

const mqttFlood = (name: string, packet: Buffer) =>
  doorFlood(name, filled(BLOCK_BYTES, packet), async ({ doors }) => async (i) => {
    const wire = await openWire(doors.mqtt);
    const known = { protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 60 } as const;
    wire.write(generate({ cmd: 'connect', clientId: `flooder-${i}`, username: 'flooder', ...known }));
    return wire;
  });

export const chitchatPings = chitchatFlood('pings at the door of chitchat', clientFrame('ping'));
export const chitchatNoise = chitchatFlood('empty frames at the door of chitchat', clientFrame('text'));
export const mqttPings = mqttFlood('pings over MQTT', generate({ cmd: 'pingreq' }));
export const mqttNoise = mqttFlood(
  'publications over MQTT that come to nothing',
  generate({ cmd: 'publish', topic: 'x', payload: '', qos: 0, dup: false, retain: false }),
);
