import { type ErrorCode, errorFrameSchema, errors, problemMediaType, problemSchema } from '@verbatim/protocol';
import type { BadBytes } from './bad-bytes.testing.js';
import { type BadFrame, markOf } from './bad-frames.testing.js';
import type { BadRequest } from './bad-requests.testing.js';
import { LONG } from './bad-values.testing.js';
import type { Exchange, HttpAnswer } from './raw-http.testing.js';

/** What is wrong with the answer to a bad request, in words; empty if nothing is. */
export function flawsOfAnswer({ codes, names, answerable }: BadRequest, { answer, ended }: Exchange): string[] {
  if (!answer) return [ended ? 'hung up without an answer' : 'no answer came'];
  if (answerable && answer.status === 200) return leaks(answer.raw.slice(0, answer.raw.indexOf('\r\n\r\n')));
  const code = codeOf(answer);
  const flaws = flawsOfProblem(answer);
  if (!codes.includes(code as ErrorCode)) flaws.push(`answered ${answer.status} ${code}, not ${codes.join(' or ')}`);
  return [...flaws, ...flawsOfNames(answer.body, names)];
}

/** What is wrong with an answer as a problem of the contract. */
export function flawsOfProblem({ status, headers, body, raw }: HttpAnswer): string[] {
  const flaws = leaks(raw);
  const read = problemSchema.strict().safeParse(parsed(body));
  if (!read.success) return [...flaws, `no problem of the contract: ${status} ${body.slice(0, 300)}`];
  const { code, ...problem } = read.data;
  const known = errors[code];
  if (!headers.get('content-type')?.startsWith(problemMediaType)) flaws.push(`sent as ${headers.get('content-type')}`);
  if (status !== known.status || problem.status !== known.status) flaws.push(`${code} with status ${status}`);
  if (problem.title !== known.title || problem.retryable !== known.retryable)
    flaws.push(`${code} differs from the table`);
  if (problem.type !== `urn:verbatim:error:${code}`) flaws.push(`type ${problem.type}`);
  if (known.retryable && !headers.has('retry-after')) flaws.push('no Retry-After');
  if (status === 401 && !headers.has('www-authenticate')) flaws.push('no WWW-Authenticate');
  if (status === 405 && !headers.has('allow')) flaws.push('no Allow');
  if (status >= 500) flaws.push(`${status} ${body}`);
  return flaws;
}

/** What is wrong with what the service did about bytes that are no proper request. */
export function flawsOfRefusal({ fate }: BadBytes, { answer, ended }: Exchange): string[] {
  if (fate === 'waits') return answer || ended ? [`ended it: ${answer?.raw.slice(0, 300)}`] : [];
  if (!answer) return fate === 'answers' ? [ended ? 'hung up without an answer' : 'no answer came'] : [];
  if (answer.status === 400 && /^(0\s*)?$/.test(answer.body) && fate !== 'answers') return [];
  return answer.status < 400 ? [`answered ${answer.raw.slice(0, 300)}`] : flawsOfProblem(answer);
}

/** What is wrong with the answer to an opening of a WebSocket that must not be granted, or granted to be closed at once. */
export function flawsOfHandshake({ answer, ended }: Exchange): string[] {
  if (answer?.status !== 101) return answer ? flawsOfProblem(answer) : [`no answer came; ended: ${ended}`];
  const turnedAway = answer.raw.includes('unauthenticated') && !answer.raw.includes('hello');
  return turnedAway ? leaks(answer.raw) : [`opened: ${answer.raw}`];
}

/** What is wrong with the frame that answered a bad one. */
export function flawsOfFrame(bad: BadFrame, answer: { event: string; ref?: unknown; data: unknown }): string[] {
  const text = JSON.stringify(answer);
  const flaws = leaks(text);
  const read = errorFrameSchema.strict().safeParse(answer.data);
  if (answer.event !== 'error' || !read.success) return [...flaws, `answered by ${text.slice(0, 300)}`];
  const { code, title, retryable } = read.data;
  if (!bad.codes.includes(code)) flaws.push(`answered ${code}, not ${bad.codes.join(' or ')}`);
  if (title !== errors[code].title || retryable !== errors[code].retryable)
    flaws.push(`${code} differs from the table`);
  if (answer.ref !== markOf(bad)) flaws.push(`ref ${answer.ref}, not ${markOf(bad)}`);
  return [...flaws, ...flawsOfNames(JSON.stringify(answer.data), bad.names)];
}

const codeOf = ({ body }: HttpAnswer): unknown => (parsed(body) as { code?: unknown } | null)?.code;

/** Names of what is wrong must be those of the field that is wrong, where any are given. */
function flawsOfNames(body: string, expected: string | undefined): string[] {
  const listed = (parsed(body) as { errors?: { path: string }[] } | null)?.errors;
  if (!expected || !listed) return [];
  const named = listed.some(({ path }) => path === expected || path.startsWith(`${expected}.`));
  return named ? [] : [`${expected} is not among ${listed.map(({ path }) => path).join(', ')}`];
}

const secrets: Readonly<Record<string, RegExp>> = {
  SQL: /\bselect\b.+\bfrom\b|\binsert into\b|\bupdate\b.+\bset\b|\brelation "|syntax error at|invalid input syntax|out of range/i,
  'a stack': /\n\s+at |\bat (async )?\S+ \(|node:internal|node_modules|\.[cm]?[jt]s:\d/,
  'a path of this machine': /(^|[\s"'(])(file:\/)?\/(work|home|root|tmp|usr|opt|var|app|etc)\//,
  'the name of an error class': /\b(Type|Syntax|Range|Reference|Postgres|Zod)Error\b|\bFST_ERR/,
  'a long input': new RegExp(LONG.repeat(30)),
};

/** What the text gives away that nobody outside should see. */
export function leaks(text: string): string[] {
  const found = Object.entries(secrets).filter(([, pattern]) => pattern.test(text));
  const flaws = found.map(([what]) => `reveals ${what}: ${text.slice(0, 500)}`);
  return text.length > 8_192 ? [...flaws, `${text.length} characters long`] : flaws;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
