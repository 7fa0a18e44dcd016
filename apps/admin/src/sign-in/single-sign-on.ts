import type { ErrorCode } from '@verbatim/protocol';
import { useEffect, useState } from 'react';
import { type AuthProvider, useTranslate } from 'react-admin';
import { NotLetIn } from '../service/auth-provider';
import { apiUrl, client } from '../service/client';

/** The URL that starts single sign-on and returns here, whatever the outcome. */
export function signOnUrl(): string {
  const here = `${location.origin === apiUrl ? '' : location.origin}/admin/`;
  return `${apiUrl}/v1/auth/sso?return=${encodeURIComponent(here)}`;
}

/** The refusals of a single sign-on that have a sentence of their own. */
const knownRefusals: readonly string[] = [
  'unauthenticated',
  'forbidden',
  'not_found',
  'rate_limited',
  'unavailable',
] satisfies ErrorCode[];

/** Why the single sign-on that led here has not let the person in; null: there was none, or it has. */
export let signOnRefusal: NotLetIn | null = null;

/** Completes a single sign-on, whose code or refusal is in the fragment of the URL and is removed from there immediately. */
export async function endSignOn(auth: AuthProvider): Promise<void> {
  const [, code] = /^#sso-code=([\w-]+)$/.exec(location.hash) ?? [];
  const [, refusal, traceId] = /^#sso-error=(\w+)&trace=([0-9a-f-]{36})$/.exec(location.hash) ?? [];
  if (!code && !refusal) return;
  history.replaceState(null, '', '#/');
  if (refusal) {
    const sentence = knownRefusals.includes(refusal) ? refusal : 'other';
    signOnRefusal = new NotLetIn('refused', `verbatim.sign_in.sso_refused.${sentence}`, traceId);
    return;
  }
  await auth.login({ signOnCode: code }).catch((error) => {
    signOnRefusal = error instanceof NotLetIn ? error : new NotLetIn('unreachable');
  });
}

/** The label of the single sign-on button; null: not set up, or not known yet. */
export function useSignOnLabel(): string | null {
  const [name, setName] = useState<string | null>(null);
  const translate = useTranslate();
  useEffect(() => {
    client.call('getSignInOptions').then(
      ({ singleSignOn }) => setName(singleSignOn?.label ?? null),
      () => undefined,
    );
  }, []);
  return name && translate('verbatim.sign_in.sso', { name });
}
