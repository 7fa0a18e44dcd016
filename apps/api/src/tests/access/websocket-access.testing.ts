import { answerTo, type ClientEvent } from '@verbatim/protocol';
import { openSocket, type TestSocket } from '../harness/test-client.testing.js';
import type { AccessDoor } from './access-door.testing.js';
import { frameTable, type Sent, type Verdict } from './access-table.testing.js';
import type { Scene } from './scene.testing.js';

/** Nobody without a good credential gets as far as a frame: the socket is closed with 4001. */
export const webSocketAccess: AccessDoor = {
  table: frameTable,
  needsAccount: () => true,
  async attempt(event, asker, scene, sent) {
    const { service, people } = scene.cast;
    if (asker === 'nobody') return verdictOfClose(await openSocket(service.url).closed);
    if (asker === 'suspended' || asker === 'revoked') {
      const headers = { authorization: `Bearer ${people[asker].accessToken}` };
      return verdictOfClose(await openSocket(service.url, { headers }).closed);
    }
    const socket = await people[asker].connect();
    const verdict = await verdictOf(socket, event as ClientEvent, scene, sent);
    socket.close();
    return verdict;
  },
};

function verdictOfClose(code: number): Verdict {
  if (code !== 4001) throw new Error(`The socket was closed with ${code}.`);
  return 'unauthenticated';
}

async function verdictOf(socket: TestSocket, event: ClientEvent, { room }: Scene, { body }: Sent): Promise<Verdict> {
  const data = event === 'ping' ? {} : { room, ...body, ...(event === 'follow' && { reason: 'the table' }) };
  // Only who follows a room can be writing in it.
  if (event === 'typing') await socket.ask('follow', { room, reason: 'the table' });
  const ref = socket.send(event, data);
  if (answerTo[event] === null) await socket.settled();
  else await socket.when(() => socket.frames.some((frame) => frame.ref === ref));
  const refusal = socket.frames.find((frame) => frame.ref === ref && frame.event === 'error');
  return refusal ? refusal.data.code : 'allowed';
}
