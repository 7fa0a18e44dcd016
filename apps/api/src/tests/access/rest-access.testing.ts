import { type Call, type CallName, calls } from '@verbatim/protocol';
import { outcome } from '../harness/contract.testing.js';
import { password, signIn, type TestPerson, Visitor } from '../harness/test-client.testing.js';
import { administrator } from '../harness/test-service.testing.js';
import type { AccessDoor } from './access-door.testing.js';
import { callTable, type Sent, type Verdict } from './access-table.testing.js';
import type { Cast, Column, Scene, TurnedAway } from './scene.testing.js';

export const restAccess: AccessDoor = {
  table: callTable,
  needsAccount: (name) => calls[name as CallName].auth !== 'none',
  async attempt(name, asker, scene, sent) {
    const call: Call = calls[name as CallName];
    return verdictOf(await askerFor(call, asker, scene.cast), call, scene, sent, reasonOf(asker));
  },
  // What it stops has its tests elsewhere; here it would stop the rest of the table.
  settle: async (name, { people }) => name === 'beginMaintenance' && people.admin.delete('/v1/maintenance'),
};

/** Whoever signs out does so with a session that nothing else uses. */
async function askerFor(call: Call, asker: Column | TurnedAway, { service, people }: Cast): Promise<Visitor> {
  if (asker === 'nobody') return new Visitor(service.url);
  const signsOut = call.path.endsWith('/logout') && asker !== 'suspended' && asker !== 'revoked';
  return signsOut ? anotherSession(people[asker]) : people[asker];
}

function anotherSession({ url, username }: TestPerson): Promise<TestPerson> {
  return signIn(url, username === administrator.username ? administrator : { username, password });
}

/** Auditor and administrator look in from outside. */
const reasonOf = (asker: Column | TurnedAway): Record<string, string> =>
  asker === 'auditor' || asker === 'admin' ? { 'verbatim-reason': 'the table' } : {};

async function verdictOf(asker: Visitor, call: Call, scene: Scene, sent: Sent, headers: object): Promise<Verdict> {
  const places: Record<string, string> = { ...placesOf(call, scene), ...sent.params };
  const path = call.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => places[name] ?? `no-${name}`);
  const method = call.method.toLowerCase() as 'get';
  const answer = await asker.send(method, sent.query ? `${path}?${sent.query}` : path, sent.body, { ...headers });
  return answer.status < 400 ? 'allowed' : (`${outcome(answer)}` as Verdict);
}

/** What the parameters of a path stand for, unless a row says otherwise. */
function placesOf({ path }: Call, { cast: { target }, room, message }: Scene): Record<string, string> {
  const places = { userId: target.id, username: target.username, messageId: message, emoji: encodeURIComponent('👍') };
  return { ...places, id: path.startsWith('/v1/rooms/') ? room : target.id };
}
