import { useEffect, useState } from 'react';
import { type AuthProvider, useTranslate } from 'react-admin';
import { NotLetIn } from '../service/auth-provider';
import { apiUrl, client } from '../service/client';

/** Where the browser goes to sign in elsewhere. */
export const signOnUrl = `${apiUrl}/v1/auth/sso`;

/** Why the single sign-on that led here has not let the person in; null: there was none, or it has. */
export let signOnRefusal: NotLetIn | null = null;

/** Ends a single sign-on, whose code stands behind the # of the address and is taken away from there at once. */
export async function endSignOn(auth: AuthProvider): Promise<void> {
  const code = /^#sso-code=([\w-]+)$/.exec(location.hash)?.[1];
  if (!code) return;
  history.replaceState(null, '', '#/');
  await auth.login({ signOnCode: code }).catch((error) => {
    signOnRefusal = error instanceof NotLetIn ? error : new NotLetIn('unreachable');
  });
}

/** What to write on the button that leads to single sign-on; null: there is none, or that is not known yet. */
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
