import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerTo, type Call, type CallName, type ClientEvent, callList, clientEvents } from '@verbatim/protocol';
import { type Logger, pino } from 'pino';
import { callTable, frameTable, type Row } from '../access/access-table.testing.js';
import { type Cast, type Column, type Scene, setScene } from '../access/scene.testing.js';
import { outcome } from '../harness/contract.testing.js';
import { openSocket, register, type TestPerson, type TestSocket, Visitor } from '../harness/test-client.testing.js';

/** A line of the service's log. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly server?: string;
  readonly seconds?: number;
  readonly err?: { readonly stack?: string };
}

/** A log that remembers its lines, from warnings on. */
export function listeningLog(): { readonly log: Logger; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const write = (chunk: Buffer, _: string, done: () => void) => {
    for (const line of chunk.toString().split('\n')) if (line) lines.push(JSON.parse(line));
    done();
  };
  return { log: pino({ level: 'warn' }, new Writable({ write })), lines };
}

/** One call or frame, ready to be sent, and what was answered in one word. */
export interface Question {
  readonly name: string;
  ask(): Promise<string>;
}

/** Calls that end the session which asks, or others of that person. */
const endsSessions: readonly CallName[] = ['logout', 'endMyOtherSessions'];
/** What stops others is asked alone, in tests of its own. */
const leftOut: readonly CallName[] = ['beginMaintenance'];

/**
 * Every call of the contract and every frame, as an owner of a room, an administrator and an auditor send them, with
 * everything that they need made beforehand. Sockets are open before the outage.
 */
export async function allQuestions(cast: Cast): Promise<Question[]> {
  const scene = await setScene(cast);
  const columns: readonly Column[] = ['owner', 'admin', 'auditor'];
  const calls = callList
    .filter(([name]) => !leftOut.includes(name))
    .flatMap(([name, call]) => columns.map((column) => callQuestion(name, call, scene, column)));
  const frames = clientEvents.flatMap((event) => columns.map((column) => frameQuestion(event, scene, column)));
  return Promise.all([...calls, ...frames]);
}

async function callQuestion(name: CallName, call: Call, scene: Scene, column: Column): Promise<Question> {
  const { url } = scene.cast.service;
  const { params, query, body } = await (callTable[name] as Row).sent(scene, column);
  const asker = endsSessions.includes(name) ? await register(url) : (personOf(scene, column) as Visitor);
  const { target } = scene.cast;
  const places: Record<string, string> = {
    userId: target.id,
    username: target.username,
    messageId: scene.message,
    emoji: encodeURIComponent('👍'),
    id: call.path.startsWith('/v1/rooms/') ? scene.room : target.id,
    ...params,
  };
  const path = call.path.replaceAll(/\{(\w+)\}/g, (_, place: string) => places[place] ?? `no-${place}`);
  const headers: Record<string, string> = column === 'owner' ? {} : { 'verbatim-reason': 'the outage' };
  return {
    name: `${name} by ${column}`,
    ask: async () => {
      const method = call.method.toLowerCase() as 'get';
      return `${outcome(await asker.send(method, query ? `${path}?${query}` : path, body, headers))}`;
    },
  };
}

async function frameQuestion(event: ClientEvent, scene: Scene, column: Column): Promise<Question> {
  const { body } = await (frameTable[event] as Row).sent(scene, column);
  const socket = await personOf(scene, column).connect();
  const data =
    event === 'ping' ? {} : { room: scene.room, ...body, ...(event === 'follow' && { reason: 'the outage' }) };
  if (event === 'typing') await socket.ask('follow', { room: scene.room, reason: 'the outage' });
  return {
    name: `frame ${event} by ${column}`,
    ask: async () => {
      const answered = await answerOf(socket, event, data);
      socket.close();
      return answered;
    },
  };
}

async function answerOf(socket: TestSocket, event: ClientEvent, data: object): Promise<string> {
  const ref = socket.send(event, data);
  const closed = socket.closed.then((code) => `closed with ${code}`);
  const answered = async () => {
    if (answerTo[event] === null) await socket.settled();
    else await socket.when(() => socket.frames.some((frame) => frame.ref === ref));
    return socket.frames.find((frame) => frame.ref === ref && frame.event === 'error')?.data.code ?? 'allowed';
  };
  return Promise.race([answered(), closed]);
}

const personOf = ({ cast }: Scene, column: Column): TestPerson => cast.people[column as Exclude<Column, 'nobody'>];

/** Opens a socket with an access token; `hello`, or the code it was closed with. */
export async function handshake({ url, accessToken }: TestPerson): Promise<string> {
  const socket = openSocket(url, { headers: { authorization: `Bearer ${accessToken}` } });
  const opened = socket.next('hello').then(() => 'hello');
  const outcome = await Promise.race([opened, socket.closed.then((code) => `closed with ${code}`)]);
  opened.catch(() => undefined);
  socket.close();
  return outcome;
}

/** Asks all at once, but not more than `most` at a time; the answers and how many milliseconds each took, by name. */
export async function askAll(
  questions: readonly Question[],
  most = 40,
): Promise<Record<string, { readonly answer: string; readonly ms: number }>> {
  const answers: Record<string, { answer: string; ms: number }> = {};
  const waiting = [...questions];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const asked = performance.now();
      const answer = await next.ask();
      answers[next.name] = { answer, ms: performance.now() - asked };
    }
  };
  await Promise.all(Array.from({ length: most }, work));
  return answers;
}

/** Waits for a line of the log. */
export async function lineSaying(lines: readonly LogLine[], text: string, patience = 20_000): Promise<LogLine> {
  for (const end = performance.now() + patience; performance.now() < end; await sleep(50)) {
    const found = lines.find(({ msg }) => msg.includes(text));
    if (found) return found;
  }
  throw new Error(`Nothing said "${text}": ${JSON.stringify(lines)}`);
}
