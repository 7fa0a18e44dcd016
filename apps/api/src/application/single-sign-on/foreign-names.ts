import { emailAddress, isReservedUsername, limits, nameProblem } from '@verbatim/domain';

/** Characters of a claim that are looked at. */
const MOST_CHARACTERS = 1_000;

/** What a provider calls somebody, as it said it; the best first. An address stands for what is before its domain. */
export type ForeignNames = readonly string[];

/** The text of a claim, or null: cut where it is much too long, and without what no text may hold. */
export function claimText(claim: unknown): string | null {
  if (typeof claim !== 'string') return null;
  return claim.slice(0, MOST_CHARACTERS).toWellFormed().replaceAll('\u0000', '').normalize('NFC');
}

/** The address of somebody in the form in which it is stored; null unless the provider says that it is theirs. */
export function verifiedEmail({ email, email_verified }: Readonly<Record<string, unknown>>): string | null {
  // Nothing but true counts. A provider that leaves it out, or sends a text, has not said so.
  return typeof email === 'string' && email_verified === true ? emailAddress(email) : null;
}

/**
 * A display name that the rules allow, made from what the provider calls somebody; the last resort is the username. Names are
 * cleaned up as little as is needed: spaces first, then what cannot be seen, then everything but letters, and words that are not allowed.
 */
export function displayNameFor(names: ForeignNames, username: string): string {
  for (const name of names.map(withoutDomain))
    for (const tidy of [singleSpaces, withoutUnseen, plainLetters, allowedWords]) {
      const candidate = shortened(tidy(name));
      if (isAllowed(candidate)) return candidate;
    }
  return username;
}

/** The one judge of names: what passes here passes where the account is made. */
const isAllowed = (name: string): boolean => nameProblem(name, limits.displayName) === null;

const singleSpaces = (name: string): string => name.replaceAll(/[\s\p{Z}\p{Cc}]+/gu, ' ').trim();

const withoutUnseen = (name: string): string =>
  singleSpaces(name.replaceAll(/[\p{Cf}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u2800]/gu, ''));

const plainLetters = (name: string): string =>
  singleSpaces(withoutUnseen(name.normalize('NFKC')).replaceAll(/[^\p{L}\p{M}\p{N}\p{P}\p{Zs}]/gu, '')).normalize(
    'NFC',
  );

/** The words that are allowed by themselves, as long as they are allowed together. */
function allowedWords(name: string): string {
  let kept = '';
  for (const word of plainLetters(name).split(' ')) {
    const longer = kept === '' ? word : `${kept} ${word}`;
    if (isAllowed(shortened(longer))) kept = longer;
  }
  return kept;
}

/** As many whole characters, as people see them, as the limit has room for. */
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

/** Usernames to try in turn: what the person is called elsewhere, the same with a number, and one that nobody has. */
export function usernamesFor(names: ForeignNames, userId: string): string[] {
  const plain = names.map((name) => plainUsername(withoutDomain(name)));
  const base = plain.find((name) => name.length >= 3 && !isReservedUsername(name)) ?? 'person';
  const numbered = [2, 3, 4, 5].map((n) => `${base}${n}`);
  const end = userId.replaceAll('-', '').slice(0, 12);
  const last = `${base.slice(0, 19)}-${end}`;
  return [base, ...numbered, isReservedUsername(last) ? `person-${end}` : last];
}

/** Many providers call people by their addresses, which are not for everybody to see. */
const withoutDomain = (name: string): string =>
  emailAddress(name)
    ?.replace(/@[^@]*$/, '')
    .replaceAll('"', '') ?? name;

/** The letters, digits and signs of a username that are left of a name. */
const plainUsername = (name: string): string =>
  name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[\p{M}\p{Cf}]/gu, '')
    .replaceAll(/[^a-z0-9_.-]+/g, '-')
    .replaceAll(/^[-.]+|[-.]+$/g, '')
    .slice(0, 28);
