/**
 * Says where a text stops being JSON and what is expected there, as the JSON parser of makechat's server does:
 * `Expecting value: line 1 column 10 (char 9)`. It never quotes the text. Null if the text is JSON.
 */
export function jsonProblem(text: string): string | null {
  const problem = firstProblem(text);
  if (!problem) return null;
  const before = text.slice(0, problem.at);
  const column = codePoints(before.slice(before.lastIndexOf('\n') + 1)) + 1;
  return `${problem.what}: line ${before.split('\n').length} column ${column} (char ${codePoints(before)})`;
}

const codePoints = (text: string): number => [...text].length;

interface Problem {
  readonly what: string;
  /** In UTF-16 units. */
  readonly at: number;
}

/** What comes next; an array or an object that has just been opened may also end. */
type Next = 'value' | 'value or end' | 'name' | 'name or end' | 'rest';

/** A loop, not a recursion: a text may be nested as deeply as it is long. */
function firstProblem(text: string): Problem | null {
  const open: ('{' | '[')[] = [];
  let next: Next = 'value';
  for (let at = blanks(text, 0); ; at = blanks(text, at)) {
    const sign = text[at] ?? '';
    const container = open.at(-1);
    const mayEnd = next === 'rest' || next.endsWith('or end');
    if (next === 'rest' && !container) return sign === '' ? null : { what: 'Extra data', at };
    if (mayEnd && sign === (container === '{' ? '}' : ']')) {
      open.pop();
      next = 'rest';
      at += 1;
    } else if (next === 'rest') {
      if (sign !== ',') return { what: "Expecting ',' delimiter", at };
      next = container === '{' ? 'name' : 'value';
      at += 1;
    } else if (next.startsWith('name')) {
      if (sign !== '"') return { what: 'Expecting property name enclosed in double quotes', at };
      const end = endOfString(text, at);
      if (typeof end !== 'number') return end;
      at = blanks(text, end);
      if (text[at] !== ':') return { what: "Expecting ':' delimiter", at };
      next = 'value';
      at += 1;
    } else if (sign === '{' || sign === '[') {
      open.push(sign);
      next = sign === '{' ? 'name or end' : 'value or end';
      at += 1;
    } else {
      const end = sign === '"' ? endOfString(text, at) : at + lengthOf(scalar, text, at);
      if (typeof end !== 'number') return end;
      if (end === at) return { what: 'Expecting value', at };
      next = 'rest';
      at = end;
    }
  }
}

/** The end of the string that begins here. */
function endOfString(text: string, start: number): number | Problem {
  for (let at = start + 1; ; ) {
    at += lengthOf(plain, text, at);
    if (text[at] === '"') return at + 1;
    if (at >= text.length) return { what: 'Unterminated string starting at', at: start };
    if (text[at] !== '\\') return { what: 'Invalid control character at', at };
    const escaped = text[at + 1];
    if (escaped === undefined) return { what: 'Unterminated string starting at', at: start };
    if (escaped === 'u' && lengthOf(fourDigits, text, at + 2) === 0)
      return { what: 'Invalid \\uXXXX escape', at: at + 1 };
    if (!'"\\/bfnrtu'.includes(escaped)) return { what: 'Invalid \\escape', at };
    at += escaped === 'u' ? 6 : 2;
  }
}

const space = /[ \t\n\r]*/y;
const scalar = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a string must not have
const plain = /[^"\\\0-\x1f]*/y;
const fourDigits = /[0-9a-fA-F]{4}/y;

function lengthOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0].length ?? 0;
}

const blanks = (text: string, at: number): number => at + lengthOf(space, text, at);
