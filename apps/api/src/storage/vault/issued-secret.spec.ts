import { expect, it } from 'vitest';
import { digest, issueSecret, looksIssued } from './issued-secret.js';

it('a secret is recognized, and no other text', () => {
  const secret = issueSecret('vbt_');
  expect(secret).toMatch(/^vbt_[A-Za-z0-9_-]{49}$/);
  expect(looksIssued('vbt_', secret)).toBe(true);
  const wrong = secret[10] === 'A' ? 'B' : 'A';
  const spoilt = [secret.slice(0, -1), `${secret}A`, secret.slice(0, 10) + wrong + secret.slice(11), '', 'vbt_'];
  for (const text of [...spoilt, secret.replace('vbt_', 'vbh_')]) expect(looksIssued('vbt_', text)).toBe(false);
});

it('two secrets differ, and so do their digests', () => {
  const [one, other] = [issueSecret('vbt_'), issueSecret('vbt_')];
  expect(one).not.toBe(other);
  expect(digest(one)).not.toBe(digest(other));
  expect(digest(one)).not.toContain(one.slice(4, 12));
});
