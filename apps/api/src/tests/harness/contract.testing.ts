import { isDeepStrictEqual } from 'node:util';
import {
  type Call,
  type CallName,
  callList,
  errors,
  errorsOf,
  problemMediaType,
  problemSchema,
  type Tag,
} from '@verbatim/protocol';

/** An answer as far as the contract has a say in it. */
export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what it holds is what is to be found out
  readonly body: any;
}

/** The statuses and error codes that each call has answered in this test file. */
const seen = new Map<CallName, Set<string>>();

/** Fails when an answer is not what the table of calls promises of the call, down to its last field. */
export function holdToContract(method: string, path: string, answer: Answer): void {
  const known = callOf(method, path.split('?')[0] ?? '');
  if (answer.status >= 400) holdProblem(answer, known?.[1]);
  else if (known) holdSuccess(answer, known[1]);
  if (known) note(known[0], answer);
}

/** What calls of this part of the contract have never answered in this test file: `createRoom: name_taken`. */
export function neverSeen(tag: Tag): string[] {
  return callList
    .filter(([, call]) => call.tag === tag)
    .flatMap(([name, call]) => {
      const expected = [
        ...Object.keys(call.answers),
        ...call.errors,
        ...(call.auth === 'none' ? [] : ['unauthenticated']),
      ];
      return expected.filter((outcome) => !seen.get(name)?.has(outcome)).map((outcome) => `${name}: ${outcome}`);
    });
}

/** What became of a call in one word: the code of its error, or the status of its success. */
export const outcome = (answer: Answer): string | number => (answer.status < 400 ? answer.status : answer.body.code);

function callOf(method: string, path: string): [CallName, Call] | undefined {
  const there = callList.filter(([, call]) => pattern(call.path).test(path));
  const exact = there.filter(([, call]) => call.path === path);
  return (exact.length > 0 ? exact : there).find(([, call]) => call.method === method.toUpperCase());
}

const pattern = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);

function holdSuccess(answer: Answer, call: Call): void {
  const { status, headers, text, body } = answer;
  if (!(status in call.answers)) throw broken(answer, `${status} is no answer of ${call.method} ${call.path}`);
  const schema = call.answers[status];
  if (!schema) {
    if (text) throw broken(answer, 'there should be no body');
    return;
  }
  const mediaType = call.mediaType ?? 'application/json';
  if (!headers['content-type']?.startsWith(mediaType)) throw broken(answer, `the body should be ${mediaType}`);
  const payload = mediaType === 'application/json' ? body : text;
  const read = schema.safeParse(payload);
  if (!read.success) throw broken(answer, `${call.path} answers otherwise: ${read.error.message}`);
  if (!isDeepStrictEqual(read.data, payload))
    throw broken(answer, `${call.path} answers fields the contract does not have`);
}

function holdProblem(answer: Answer, call?: Call): void {
  const { status, headers, body } = answer;
  if (!headers['content-type']?.startsWith(problemMediaType)) throw broken(answer, `it should be ${problemMediaType}`);
  const read = problemSchema.strict().safeParse(body);
  if (!read.success) throw broken(answer, `it is no problem of the contract: ${read.error.message}`);
  const { code, title, retryable, type } = read.data;
  if (status !== read.data.status || status !== errors[code].status) throw broken(answer, 'the status is another');
  if (title !== errors[code].title || retryable !== errors[code].retryable || type !== `urn:verbatim:error:${code}`)
    throw broken(answer, 'the table of errors says otherwise');
  if (call && !errorsOf(call).includes(code)) throw broken(answer, `${call.path} does not declare ${code}`);
  if (retryable && !headers['retry-after']) throw broken(answer, 'Retry-After is missing');
}

const broken = ({ status, text }: Answer, why: string) =>
  new Error(`The answer breaks the contract: ${why}. ${status} ${text?.slice(0, 1_000)}`);

function note(name: CallName, { status, body }: Answer): void {
  const outcomes = seen.get(name) ?? new Set();
  seen.set(name, outcomes.add(status < 400 ? `${status}` : body.code));
}
