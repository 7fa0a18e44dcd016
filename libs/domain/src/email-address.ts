/** Octets that RFC 5321 (4.5.3.1) allows in a local part, and in a whole address. */
const LOCAL_OCTETS = 64;
const ADDRESS_OCTETS = 254;
/** Longer input is not parsed. Escapes and decomposed letters make an address longer than its stored form. */
const MOST_CHARACTERS = 1_000;

/**
 * An e-mail address in the form in which it is stored, or null if mail would not accept it. Spaces and invisible characters around it
 * are dropped, the domain becomes lower-case ASCII (UTS 46), a quoted local part loses the quotes it does not need, and
 * everything is in normalization form C. The case of the local part stays as written.
 *
 * Accepted are dot-atoms and quoted strings of ASCII (RFC 5321) and of other scripts (RFC 6531), before a domain of two labels or
 * more. Comments and address literals (`ada@[192.0.2.1]`) are not.
 */
export function emailAddress(text: string): string | null {
  if (text.length > MOST_CHARACTERS) return null;
  const plain = trimmed(text.normalize('NFC'));
  const at = plain.lastIndexOf('@');
  const local = localPart(plain.slice(0, Math.max(at, 0)));
  const domain = asciiDomain(plain.slice(at + 1));
  if (local === null || domain === null) return null;
  const localOctets = octets(local);
  return localOctets <= LOCAL_OCTETS && localOctets + 1 + domain.length <= ADDRESS_OCTETS ? `${local}@${domain}` : null;
}

/**
 * The form in which addresses are compared: two addresses with the same key are one. Local parts are compared without regard to case,
 * as all large providers do although RFC 5321 leaves it to them. Texts stored before addresses were checked have a key too.
 */
export function emailKey(text: string): string {
  const address = emailAddress(text) ?? trimmed(text.slice(0, MOST_CHARACTERS));
  const at = address.lastIndexOf('@');
  return `${foldCase(address.slice(0, Math.max(at, 0)))}${address.slice(Math.max(at, 0)).toLowerCase()}`;
}

const trimmed = (text: string): string => text.replace(/^[\s\p{Z}\p{Cc}\p{Cf}]+|[\s\p{Z}\p{Cc}\p{Cf}]+$/gu, '');

const octets = (text: string): number => new TextEncoder().encode(text).length;

// Local parts --------------------------------------------------------------------------------------------------------

/** A visible character of another script. Joiners and variation selectors are valid only between or after such characters. */
const visible = String.raw`[^\0-\x7f\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]`;
const joined = String.raw`(?<=${visible}\ufe0f?)(?:\ufe0f|[\u200c\u200d](?=${visible}))`;
const atom = String.raw`(?:[\w!#$%&'*+/=?^\x60{|}~-]|${visible}|${joined})+`;
const dotAtom = new RegExp(String.raw`^${atom}(?:\.${atom})*$`, 'u');
const quoted = new RegExp(String.raw`^"((?:[ !#-\[\]-~]|\\[ -~]|${visible}|${joined})*)"$`, 'u');

function localPart(text: string): string | null {
  if (dotAtom.test(text)) return text;
  const content = quoted.exec(text)?.[1]?.replaceAll(/\\(.)/g, '$1');
  if (content === undefined) return null;
  return dotAtom.test(content) ? content : `"${content.replaceAll(/["\\]/g, '\\$&')}"`;
}

/**
 * Unicode's full case folding (CaseFolding.txt, C and F), by the case mappings of the platform. Dotless i is the one letter
 * that they would fold and Unicode does not.
 */
function foldCase(text: string): string {
  const fold = (letter: string) => (letter === 'ı' ? letter : letter.toLowerCase().toUpperCase().toLowerCase());
  return [...text.normalize('NFD')].map(fold).join('').normalize('NFC');
}

// Domains ------------------------------------------------------------------------------------------------------------

const label = '(?!-)[a-z0-9-]{1,63}(?<!-)';
/** The last label has a letter, so that an IP address is not a domain. */
const hostName = new RegExp(`^(?=.{1,253}$)(?:${label}\\.)+(?=[a-z0-9-]*[a-z])${label}$`);

/**
 * The domain in lower-case ASCII, by UTS 46 as the platform's URL parser has it. Newer parsers take a domain of ASCII as it is, even
 * with a broken `xn--` label, so a label of another script goes ahead of it: with that, all of them check every label.
 */
function asciiDomain(text: string): string | null {
  const address = `http://ü.${text}`;
  if (/[\0-,/:-@[-`{-\x7f]/.test(text) || !URL.canParse(address)) return null;
  const host = new URL(address).hostname.replace(/^xn--tda\./, '');
  return hostName.test(host) ? host : null;
}
