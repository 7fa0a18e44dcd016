import { answerTo, type Call, type ClientEvent, callList, clientEvents } from '@verbatim/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcome } from '../harness/contract.testing.js';
import {
  openSocket,
  password,
  signIn,
  type TestPerson,
  type TestSocket,
  Visitor,
} from '../harness/test-client.testing.js';
import { administrator } from '../harness/test-service.testing.js';
import { callTable, frameTable, type Row, type Sent } from './access-table.testing.js';
import {
  type Cast,
  type Column,
  columns,
  gatherCast,
  type Scene,
  setScene,
  turnAway,
  turnedAway,
} from './scene.testing.js';

let cast: Cast;
/** Where everything is asked that is refused, and so changes nothing. */
let still: Scene;

beforeAll(async () => {
  cast = await gatherCast();
  still = await setScene(cast);
  await turnAway(cast);
});
afterAll(() => cast.service.stop());

/** Columns in which the row says yes are asked in a scene of their own, the others in the one that stays as it is. */
const sceneFor = (row: Row, column: Column): Scene | Promise<Scene> =>
  row.verdicts[column] === 'allowed' ? setScene(cast) : still;

describe('who may call what', () => {
  it.each(callList)('%s', async (name, call) => {
    const row: Row = callTable[name];
    const found: Record<string, string> = {};
    await Promise.all(
      columns.map(async (column) => {
        const scene = await sceneFor(row, column);
        const asker = await askerFor(call, column);
        found[column] = await verdictOf(asker, call, scene, await row.sent(scene, column), reasonOf(column));
      }),
    );
    // What it stops has its tests elsewhere; here it would stop the rest of the table.
    if (name === 'beginMaintenance') await cast.people.admin.delete('/v1/maintenance');
    expect(found).toEqual(row.verdicts);
  });

  it.each(callList.filter(([, { auth }]) => auth !== 'none'))(
    '%s: not with a credential that was taken away',
    async (name, call) => {
      for (const person of turnedAway) {
        const sent = await (callTable[name] as Row).sent(still, 'member');
        expect(await verdictOf(cast.people[person], call, still, sent)).toBe('unauthenticated');
      }
    },
  );
});

describe('who may send which frame', () => {
  it.each(clientEvents)('%s', async (event) => {
    const row: Row = frameTable[event];
    const found: Record<string, string> = { nobody: 'unauthenticated' };
    await Promise.all(
      columns.slice(1).map(async (column) => {
        const scene = await sceneFor(row, column);
        const socket = await personOf(column).connect();
        found[column] = await frameVerdict(socket, event, scene, await row.sent(scene, column));
        socket.close();
      }),
    );
    expect(found).toEqual(row.verdicts);
  });

  it('the socket is not opened to nobody, nor with a credential that was taken away', async () => {
    expect(await openSocket(cast.service.url).closed).toBe(4001);
    for (const person of turnedAway) {
      const headers = { authorization: `Bearer ${cast.people[person].accessToken}` };
      expect(await openSocket(cast.service.url, { headers }).closed).toBe(4001);
    }
  });
});

const personOf = (column: Column): TestPerson => cast.people[column as Exclude<Column, 'nobody'>];

/** Signing out uses a session that nothing else depends on. */
async function askerFor(call: Call, column: Column): Promise<Visitor> {
  if (column === 'nobody') return new Visitor(cast.service.url);
  return call.path.endsWith('/logout') ? anotherSession(personOf(column)) : personOf(column);
}

function anotherSession({ url, username }: TestPerson): Promise<TestPerson> {
  return signIn(url, username === administrator.username ? administrator : { username, password });
}

/** Auditor and administrator look in from outside. */
const reasonOf = (column: Column): Record<string, string> =>
  column === 'auditor' || column === 'admin' ? { 'verbatim-reason': 'the table' } : {};

async function verdictOf(asker: Visitor, call: Call, scene: Scene, sent: Sent, headers = {}): Promise<string> {
  const places: Record<string, string> = { ...placesOf(call, scene), ...sent.params };
  const path = call.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => places[name] ?? `no-${name}`);
  const method = call.method.toLowerCase() as 'get';
  const answer = await asker.send(method, sent.query ? `${path}?${sent.query}` : path, sent.body, headers);
  return answer.status < 400 ? 'allowed' : `${outcome(answer)}`;
}

/** What the parameters of a path stand for, unless a row says otherwise. */
function placesOf({ path }: Call, { cast: { target }, room, message }: Scene): Record<string, string> {
  const places = { userId: target.id, username: target.username, messageId: message, emoji: encodeURIComponent('👍') };
  return { ...places, id: path.startsWith('/v1/rooms/') ? room : target.id };
}

async function frameVerdict(socket: TestSocket, event: ClientEvent, { room }: Scene, { body }: Sent): Promise<string> {
  const data = event === 'ping' ? {} : { room, ...body, ...(event === 'follow' && { reason: 'the table' }) };
  // Only who follows a room can be writing in it.
  if (event === 'typing') await socket.ask('follow', { room, reason: 'the table' });
  const ref = socket.send(event, data);
  if (answerTo[event] === null) await socket.settled();
  else await socket.when(() => socket.frames.some((frame) => frame.ref === ref));
  const refusal = socket.frames.find((frame) => frame.ref === ref && frame.event === 'error');
  return refusal ? refusal.data.code : 'allowed';
}
