const MODULUS = 2_147_483_647;
const VALUES = 30;

/**
 * The credentials that chaTT derives from a passphrase, in its page and in `genpass.js`: a Lehmer generator (Park and Miller's,
 * 16807), seeded by the passphrase, gives digits; they are cut into codes of characters. It is no strong derivation: 31 bits
 * are soon searched, so a passphrase keeps out passers-by.
 *
 * @param {string} passphrase
 * @returns {{ login: string, password: string } | null} null if it is too long, which begins at about 100 small letters
 */
export function deriveCredentials(passphrase) {
  const digits = Array.from({ length: passphrase.length }, (_, i) => passphrase.charCodeAt(i)).join('');
  const seed = Number(digits === '' ? 0 : digits);
  if (!Number.isFinite(seed)) return null;
  const characters = codesIn(randomDigits(seed)).map(toCharacter).join('');
  let half = Math.floor(characters.length / 2);
  while (characters.charCodeAt(half) < 60) half += 1;
  return { login: characters.slice(0, half), password: characters.slice(half) };
}

/** The first value of a generator seeds the second one, whose values are written one after the other. */
function randomDigits(seed) {
  const next = generator(generator(seed)());
  return Array.from({ length: VALUES }, next).join('');
}

function generator(seed) {
  let value = seed % MODULUS;
  if (value <= 0) value += MODULUS - 1;
  return () => {
    value = (value * 16_807) % MODULUS;
    return value;
  };
}

/** Cuts digits from the left into the longest numbers below 123. What is left at the end may be a larger one. */
function codesIn(digits) {
  const codes = [];
  for (let rest = digits; rest !== ''; ) {
    let length = 1;
    if (rest.length === 1 || Number(rest.slice(0, -1)) < 123) length = rest.length;
    else while (length < rest.length && Number(rest.slice(0, length + 1)) < 123) length += 1;
    codes.push(Number(rest.slice(0, length)));
    rest = rest.slice(length);
  }
  return codes;
}

function toCharacter(code) {
  let value = code;
  if (value < 65) value = 65 + (value % 62);
  if (value > 90 && value < 97) value = 48 + (value - 90);
  if (value > 122) value = 48 + (value % 10);
  return String.fromCharCode(value);
}
