import { emailAddress, isReservedUsername, limits, nameProblem } from '@verbatim/domain';

/** Characters of a claim that are used. */
const MAX_CHARACTERS = 1_000;

/** A user's names at the provider, best first. For an e-mail address, its local part. */
export type ForeignNames = readonly string[];

/** The text of a claim, shortened and without invalid characters; null if it is not a text. */
export function claimText(claim: unknown): string | null {
  if (typeof claim !== 'string') return null;
  return claim.slice(0, MAX_CHARACTERS).toWellFormed().replaceAll('\u0000', '').normalize('NFC');
}

/** The user's address in stored form; null unless the provider has verified it. */
export function verifiedEmail({ email, email_verified }: Readonly<Record<string, unknown>>): string | null {
  // Only `true` counts: neither a missing claim nor a text is a confirmation.
  return typeof email === 'string' && email_verified === true ? emailAddress(email) : null;
}

/**
 * A valid display name made from the user's names at the provider, or else the username. Names are cleaned up as little
 * as possible: first spaces, then invisible characters, then symbols, then forbidden words.
 */
export function displayNameFor(names: ForeignNames, username: string): string {
  for (const name of names.map(withoutDomain))
    for (const tidy of [singleSpaces, withoutUnseen, plainLetters, allowedWords]) {
      const candidate = shortened(tidy(name));
      if (isAllowed(candidate)) return candidate;
    }
  return username;
}

/** The same rule as when opening the account. */
const isAllowed = (name: string): boolean => nameProblem(name, limits.displayName) === null;

const singleSpaces = (name: string): string => name.replaceAll(/[\s\p{Z}\p{Cc}]+/gu, ' ').trim();

const withoutUnseen = (name: string): string =>
  singleSpaces(name.replaceAll(/[\p{Cf}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u2800]/gu, ''));

const plainLetters = (name: string): string =>
  singleSpaces(withoutUnseen(name.normalize('NFKC')).replaceAll(/[^\p{L}\p{M}\p{N}\p{P}\p{Zs}]/gu, '')).normalize(
    'NFC',
  );

/** The allowed words, alone and combined. */
function allowedWords(name: string): string {
  let kept = '';
  for (const word of plainLetters(name).split(' ')) {
    const longer = kept === '' ? word : `${kept} ${word}`;
    if (isAllowed(shortened(longer))) kept = longer;
  }
  return kept;
}

/** As many whole graphemes as the limit allows. */
function shortened(name: string): string {
  if (name.length <= limits.displayName) return name;
  let kept = '';
  let size = 0;
  for (const { segment } of new Intl.Segmenter().segment(name)) {
    size += [...segment].length;
    if (size > limits.displayName) break;
    kept += segment;
  }
  return kept.trim();
}

/** Usernames to try in order: the name at the provider, the same with a number, and a unique one. */
export function usernamesFor(names: ForeignNames, userId: string): string[] {
  const plain = names.map((name) => plainUsername(withoutDomain(name)));
  const base = plain.find((name) => name.length >= 3 && !isReservedUsername(name)) ?? 'person';
  const numbered = [2, 3, 4, 5].map((n) => `${base}${n}`);
  const end = userId.replaceAll('-', '').slice(0, 12);
  const last = `${base.slice(0, 19)}-${end}`;
  return [base, ...numbered, isReservedUsername(last) ? `person-${end}` : last];
}

/** Many providers use e-mail addresses as names; these are private. */
const withoutDomain = (name: string): string =>
  emailAddress(name)
    ?.replace(/@[^@]*$/, '')
    .replaceAll('"', '') ?? name;

/** The characters of a name that are allowed in usernames. */
const plainUsername = (name: string): string =>
  name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[\p{M}\p{Cf}]/gu, '')
    .replaceAll(/[^a-z0-9_.-]+/g, '-')
    .replaceAll(/^[-.]+|[-.]+$/g, '')
    .slice(0, 28);
