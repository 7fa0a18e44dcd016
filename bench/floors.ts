import { createCipheriv, createHmac, hash, randomBytes } from 'node:crypto';
import { isRejection, type RoomCommand, type RoomEvent, type RoomState, room, searchText } from '@verbatim/domain';
import { messageIdOf } from './load.js';
import { jsonTexts } from './texts.js';

/**
 * What a part has to do at least, done alone in a loop: microseconds for each post. There is a floor only where the least
 * is beyond doubt; the floor of receiving and writing is the relay under the same load.
 */
export function floors(): Map<string, number> {
  const texts = jsonTexts(2_000);
  return new Map([
    ['check frames', microseconds(texts, (text) => JSON.parse(frame(text)))],
    ['search words', microseconds(texts, searchText)],
    ['decide', decideMicroseconds(texts)],
    ['seal and hash', microseconds(texts, seal)],
  ]);
}

/** The rules alone: deciding on each post of a room, and folding what it leads to. */
function decideMicroseconds(texts: readonly string[]): number {
  const actor = { id, role: 'user' } as const;
  const at = new Date().toISOString();
  let state = room.initialState;
  let posts = 0;
  const apply = (command: RoomCommand) => {
    state = decided(state, command, at);
  };
  const settings = { topic: '', visibility: 'public', history: 'full', passwordId: null } as const;
  apply({ type: 'CreateRoom', actor, name: 'floor', ...settings });
  return microseconds(texts, (text) =>
    apply({ type: 'PostMessage', actor, messageId: messageIdOf(posts++), text, replyTo: null, kind: 'text' }),
  );
}

function decided(before: RoomState, command: RoomCommand, at: string): RoomState {
  const decision = room.decide(command, before, at);
  if (isRejection(decision)) throw new Error(decision.detail);
  return decision.events.reduce(
    (state, fact) => room.evolve(state, { ...fact, at, actor: id, revision: state.revision + 1n } as RoomEvent),
    before,
  );
}

const id = '01890000-0000-7000-8000-000000000000';
const frame = (text: string) => `{"event":"post","ref":1,"data":{"room":"${id}","id":"${id}","text":${text}}}`;

const key = randomBytes(32);
/** One text under a key of its own, and the hash of the envelope around it. */
function seal(text: string): string {
  const own = createHmac('sha256', key).update(id).digest();
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', own, nonce).setAAD(nonce);
  const box = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return hash('sha256', `{"data":"${box.toString('base64url')}","envelope":"${' '.repeat(400)}"}`, 'hex');
}

/** The median of some loops over all texts, after one that does not count. */
function microseconds(texts: readonly string[], work: (text: string) => unknown): number {
  const rounds: number[] = [];
  for (let round = 0; round < 8; round++) {
    const { user } = process.cpuUsage();
    for (const text of texts) work(text);
    if (round > 0) rounds.push((process.cpuUsage().user - user) / texts.length);
  }
  return rounds.sort((a, b) => a - b)[rounds.length >> 1] ?? Number.NaN;
}
