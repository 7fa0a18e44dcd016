import { nameKey } from './names.js';

/**
 * Why a password that somebody chooses is refused, as a part of a sentence, or null: it is the username, or one of those that
 * everybody tries first. Length is looked at elsewhere.
 */
export function passwordProblem(password: string, username: string): string | null {
  const key = nameKey(password);
  if (key === nameKey(username)) return 'must not be the username';
  if (commonest.has(key)) return 'is one of the passwords that are tried first';
  return null;
}

/** Passwords of ten characters and more that stand at the top of every list of those in use, in lower case. */
const commonest: ReadonlySet<string> = new Set(
  `
  1234567890 0123456789 0987654321 9876543210 12345678910 123456789a a123456789 1234567891 1234567899 123123123123
  123456123456 1111111111 0000000000 1122334455 1212121212 1231231230 123321123321 1357924680 147258369 1472583690
  123654789a 1029384756 2222222222 5555555555 7777777777 8888888888 9999999999 11111111111 111111111111 123456789012
  qwertyuiop qwerty1234 qwerty12345 qwerty123456 1234qwerty 12345qwert 123456qwerty qwertyuiop1 qwertyuiop123 qwertyqwerty
  1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc q1w2e3r4t5 q1w2e3r4t5y6 zaq12wsxcde 1234qwerasdf qweasdzxc1 qweasdzxc123 asdfghjkl1
  asdfghjkl; asdfghjkl123 zxcvbnm123 qazwsxedcrfv qazwsxedc1 qazwsxedc123 abcdefghij abcdefghijk abcdef1234 abcd123456
  abc1234567 abc123456789 abcd12345678 a1b2c3d4e5 aaaaaaaaaa password12 password123 password1234 password12345 password123456
  password1! password01 password00 passwordpassword mypassword mypassword1 mypassword123 thepassword newpassword newpassword1
  passw0rd12 passw0rd123 p@ssw0rd12 p@ssw0rd123 p@ssword123 p@ssword12 pa55word123 pa$$word12 passwort123 passwort12
  motdepasse motdepasse1 contrasena contraseña administrator administrator1 admin12345 admin123456 adminadmin adminadmin1
  administrador rootrootroot letmein123 letmeinplease letmein1234 welcome123 welcome1234 welcome2024 welcome2025 welcome2026
  changeme123 changeme12 changemenow iloveyou12 iloveyou123 iloveyouso iloveyou1234 ilovemyself sunshine12 sunshine123
  princess12 princess123 football12 football123 baseball12 baseball123 superman12 superman123 liverpool1 liverpool123
  dragon12345 monkey12345 michael123 charlie123 jennifer12 computer12 computer123 internet12 internet123 secret1234
  test123456 testtest12 testtest123 testtesttest user123456 guest12345 temp123456 default123 trustno123 whatever123
  `
    .trim()
    .split(/\s+/),
);
