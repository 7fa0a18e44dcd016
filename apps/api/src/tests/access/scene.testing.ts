import { randomUUID } from 'node:crypto';
import { register, signIn, type TestPerson } from '../harness/test-client.testing.js';
import { startTestService, type TestService, type TestServiceOptions } from '../harness/test-service.testing.js';

/** Who may ask, as columns of the access table: by their place in the room, or on the server. */
export const columns = ['nobody', 'outsider', 'guest', 'member', 'moderator', 'owner', 'auditor', 'admin'] as const;
export type Column = (typeof columns)[number];

/** People who have an account but no good credential: suspended while a member, or signed out while a member. */
export const turnedAway = ['suspended', 'revoked'] as const;
export type TurnedAway = (typeof turnedAway)[number];

type Inside = 'guest' | 'member' | 'moderator' | 'owner';
type Person = Exclude<Column, 'nobody'> | TurnedAway;

/** The people of the table, and the service in which they are. */
export interface Cast {
  readonly service: TestService;
  readonly people: Readonly<Record<Person, TestPerson>>;
  /** An ordinary member whom, or whose messages, the others do something to. */
  readonly target: TestPerson;
  /** Somebody in no room, to be brought into one. */
  readonly newcomer: TestPerson;
}

/** A private room in which everybody has their place, and what can be found in it. */
export interface Scene {
  readonly cast: Cast;
  readonly room: string;
  /** A message of the target. */
  readonly message: string;
  /** A message of each person who may write. */
  readonly own: Partial<Readonly<Record<Column, string>>>;
}

export async function gatherCast(options: TestServiceOptions = {}): Promise<Cast> {
  const service = await startTestService(options);
  const someone = () => register(service.url);
  const [outsider, guest, member, moderator] = await Promise.all([someone(), someone(), someone(), someone()]);
  const [owner, auditor, suspended, revoked] = await Promise.all([someone(), someone(), someone(), someone()]);
  const [target, newcomer, admin] = await Promise.all([someone(), someone(), signIn(service.url)]);
  await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
  const people = { outsider, guest, member, moderator, owner, auditor, admin, suspended, revoked };
  return { service, people, target, newcomer };
}

/** Those who are turned away were members once, and are so in every scene. */
export async function turnAway({ people }: Cast): Promise<void> {
  await people.admin.patch(`/v1/users/${people.suspended.id}`, { suspended: true });
  await people.revoked.post('/v1/auth/logout');
}

export async function setScene(cast: Cast): Promise<Scene> {
  const { owner, guest, member, moderator, suspended, revoked } = cast.people;
  const room = await owner.room({ visibility: 'private' });
  const entering: [TestPerson, string][] = [
    [guest, 'guest'],
    [member, 'member'],
    [moderator, 'moderator'],
    [cast.target, 'member'],
    [suspended, 'member'],
    [revoked, 'member'],
  ];
  await Promise.all(entering.map(([{ id }, role]) => owner.post(`/v1/rooms/${room}/members`, { userId: id, role })));
  const writers: readonly Inside[] = ['member', 'moderator', 'owner'];
  const [message, ...own] = await Promise.all(
    [cast.target, ...writers.map((name) => cast.people[name])].map((writer) =>
      writer.says(room, `by ${writer.username}`),
    ),
  );
  return {
    cast,
    room,
    message: message?.id ?? '',
    own: Object.fromEntries(writers.map((name, i) => [name, own[i]?.id])),
  };
}

/** An id for a message that nobody has posted. */
export const freshId = (): string => randomUUID();
