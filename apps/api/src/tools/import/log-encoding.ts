/** A log file as text, and how it was encoded. */
export interface DecodedLog {
  readonly text: string;
  /** For display: `UTF-8`, or `UTF-8, 3 lines windows-1252`. */
  readonly encoding: string;
}

/** The encoding of lines that are not UTF-8, unless the operator names another. */
export const FALLBACK_ENCODING = 'windows-1252';

/**
 * Decodes a log. UTF-16 is recognized by its byte order mark, or by the position of zero bytes. Everything else is UTF-8, except
 * lines that are not: IRC has no encoding, so one log may hold lines of several clients. Those are decoded as `fallback`. NUL,
 * which no text may contain, becomes U+FFFD, the replacement character, as do invalid bytes.
 */
export function decodeLog(bytes: Uint8Array, fallback: string = FALLBACK_ENCODING): DecodedLog {
  const decoded = decode(bytes, fallback);
  return { ...decoded, text: decoded.text.replaceAll('\u0000', '\ufffd') };
}

function decode(bytes: Uint8Array, fallback: string): DecodedLog {
  const utf16 = utf16Of(bytes);
  if (utf16) return { text: new TextDecoder(utf16).decode(bytes), encoding: utf16.toUpperCase() };
  const whole = decodeUtf8(bytes);
  if (whole !== null) return { text: whole.replace(/^\ufeff/, ''), encoding: 'UTF-8' };
  return decodeLineByLine(bytes, fallback);
}

/**
 * The lines of a text, whatever ends them: `\n`, `\r\n`, or `\r` as on old Macs. A `\r` inside a line of a file with other
 * line ends belongs to the text, unless what follows it begins like a line of a log.
 */
export function linesOf(text: string): string[] {
  const pieces = text.split('\n').map(withoutReturns);
  const returns = pieces.reduce((sum, piece) => sum + piece.split('\r').length - 1, 0);
  const between = returns > pieces.length - 1 ? '\r' : /\r(?=\[?\d\d?:\d\d|\d{4}-\d\d-\d\d|=== |--- |\*{4} |Session )/;
  const lines = returns === 0 ? pieces : pieces.flatMap((piece) => piece.split(between));
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** A line without carriage returns at its end. */
function withoutReturns(piece: string): string {
  let end = piece.length;
  while (piece[end - 1] === '\r') end--;
  return piece.slice(0, end);
}

// UTF-16 --------------------------------------------------------------------------------------------------------------

/** Bytes searched for zeros. */
const SAMPLE_BYTES = 4096;

function utf16Of(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  // Times, nicknames and line ends are ASCII in every log: one of the two bytes of such a character is zero.
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  const zeros = [0, 0] as [number, number];
  for (const [i, byte] of sample.entries()) if (byte === 0) zeros[i % 2 === 0 ? 0 : 1]++;
  const [high, low] = zeros;
  const [less, more] = [Math.min(high, low), Math.max(high, low)];
  if (more < 4 || more * 10 < sample.length || less * 3 > more) return null;
  return high > low ? 'utf-16be' : 'utf-16le';
}

// Lines of several encodings ------------------------------------------------------------------------------------------

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenientUtf8 = new TextDecoder('utf-8', { ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return null;
  }
}

function decodeLineByLine(bytes: Uint8Array, fallback: string): DecodedLog {
  const { encoding: other, decode: decodeOther } = otherEncoding(fallback);
  const pieces: string[] = [];
  let others = 0;
  let utf8 = 0;
  for (const line of linesOfBytes(bytes)) {
    const text = decodeUtf8(line) ?? brokenUtf8(line);
    if (text === null) others++;
    else if (text.length < line.length) utf8++;
    pieces.push(text ?? decodeOther(line));
  }
  const lines = `${others} line${others === 1 ? '' : 's'}`;
  const encoding = others === 0 ? 'UTF-8' : utf8 === 0 ? other : `UTF-8, ${lines} ${other}`;
  return { text: pieces.join('').replace(/^\ufeff/, ''), encoding };
}

function otherEncoding(label: string): { encoding: string; decode(line: Uint8Array): string } {
  const decoder = new TextDecoder(label);
  const decode =
    decoder.encoding === FALLBACK_ENCODING ? decodeWindows1252 : (line: Uint8Array) => decoder.decode(line);
  return { encoding: decoder.encoding, decode };
}

/** The characters of windows-1252 from 0x80 to 0x9f, according to https://encoding.spec.whatwg.org/index-windows-1252.txt. */
const windows1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

/** Node's own decoder (20.20) leaves these places as they are. */
const decodeWindows1252 = (line: Uint8Array): string =>
  Buffer.from(line)
    .toString('latin1')
    .replace(/[\u0080-\u009f]/g, (character) => windows1252[character.charCodeAt(0) - 0x80] ?? character);

/** Lines with their ends. */
function* linesOfBytes(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; ) {
    let end = start;
    while (end < bytes.length && bytes[end] !== 0x0a && bytes[end] !== 0x0d) end++;
    yield bytes.subarray(start, end + 1);
    start = end + 1;
  }
}

/**
 * The text of a line that is UTF-8 with a few broken characters, or null if it is more likely something else. Networks cut long
 * lines anywhere, so a broken character at the end does not count.
 */
function brokenUtf8(line: Uint8Array): string | null {
  const text = lenientUtf8.decode(line);
  const broken = [...text.trimEnd().slice(0, -1)].filter((character) => character === '\ufffd').length;
  const whole = [...text].filter((character) => character > '\u007f' && character !== '\ufffd').length;
  return whole > broken ? text : null;
}
