import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRelay } from '../bare-relay.js';
import { options } from '../options.js';
import type { NodeProcess } from '../processes.js';
import type { Subject } from '../subject.js';
import { type Figures, mediansOf, type Section } from '../table.js';
import { Verbatim } from '../verbatim.js';

const collecting = ['--expose-gc', '--import', new URL('../collecting.js', import.meta.url).href];

/** People in a room. */
const PEOPLE = 50;
const rooms = Math.ceil(options.connections / PEOPLE);

/** What a connection costs that is authenticated, follows a room, and does nothing. */
export async function idleConnections(): Promise<Section[]> {
  const relay = await startRelay(1, collecting);
  const floor = await measure(relay, relay.node);
  await relay.stop();
  const verbatim = await Verbatim.start({ nodeArguments: collecting });
  const own = await measure(verbatim, verbatim.first.node);
  await verbatim.stop();
  return [
    {
      title: `${rooms * PEOPLE} idle connections: ${rooms} rooms x ${PEOPLE}`,
      floor: 'the same to a bare ws relay',
      rows: mediansOf([own], [floor]),
    },
  ];
}

/** The first connections are not counted, because they create everything that exists only once. */
async function measure(subject: Subject, node: NodeProcess): Promise<Figures> {
  const first = await subject.gather({ rooms: 4, people: PEOPLE });
  const before = await residentAfterCollecting(subject, node);
  const counted = await subject.gather({ rooms, people: PEOPLE });
  const after = await residentAfterCollecting(subject, node);
  for (const { socket } of [...first, ...counted].flat()) {
    if (socket.closed) throw new Error('A connection was lost.');
    socket.close();
  }
  return {
    'KB resident per connection': ((after - before) * 1_024) / (rooms * PEOPLE),
    'MiB resident before': before,
    'MiB resident after': after,
  };
}

/** MiB. What is collected goes back to the system a little later. */
async function residentAfterCollecting(subject: Subject, { child }: NodeProcess): Promise<number> {
  await subject.settled();
  await sleep(1_000);
  for (let i = 0; i < 3; i++) {
    child.send('collect');
    await once(child, 'message');
    await sleep(500);
  }
  return subject.residentMiB();
}
