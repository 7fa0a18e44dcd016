import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Authenticator } from '../../api/src/application/sessions/authenticator.testing.js';
import { client, TestProvider } from '../../api/src/application/single-sign-on/provider.testing.js';
import { freePort } from '../../api/src/tests/harness/free-port.testing.js';
import { freshName, password, register, signIn } from '../../api/src/tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../api/src/tests/harness/test-service.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';

let provider: TestProvider;
let service: TestService;
let browser: Browser;
let tab: Tab;

describe.skipIf(!browserProgram)('signing in to the dashboard', { timeout: 120_000 }, () => {
  beforeAll(async () => {
    const port = await freePort();
    const returnTo = `http://127.0.0.1:${port}/v1/auth/sso/callback`;
    provider = await TestProvider.start(returnTo);
    const environment = {
      PORT: `${port}`,
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: client.id,
      OIDC_CLIENT_SECRET: client.secret,
      OIDC_REDIRECT_URI: returnTo,
      OIDC_SCOPES: 'openid email profile groups',
      OIDC_ROLE_CLAIM: 'groups',
      OIDC_ADMIN_VALUE: 'chat-admins',
      OIDC_AUDITOR_VALUE: 'chat-auditors',
      OIDC_LABEL: 'Example Corp',
    };
    [service, browser] = await Promise.all([startTestService({ environment }), openBrowser()]);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await provider?.stop();
  });
  beforeEach(async () => {
    tab = await Tab.open(browser, service.url, {}, [provider.issuer]);
  });
  afterEach(async () => {
    expect(tab.complaints).toEqual([]);
    await tab.close();
  });

  const enterFrom = async (groups: string[] | null) => {
    const name = freshName();
    provider.next = groups && { sub: `sub-${name}`, preferred_username: name, name: `The ${name}`, groups };
    await tab.goTo('/users');
    await tab.page.getByRole('link', { name: 'Example Corp' }).click();
  };

  it('takes a code of the authenticator where a person has one', async () => {
    const admin = await signIn(service.url);
    const ada = await register(service.url);
    await admin.patch(`/v1/users/${ada.id}`, { role: 'admin' });
    const { phone } = await Authenticator.setUp(ada, () => new Date());
    await tab.goTo('/');
    await tab.submitSignIn({ username: ada.username, password });
    const code = tab.page.getByRole('textbox', { name: 'Authenticator code' });
    await code.fill(phone.code(1));
    await tab.page.getByRole('button', { name: 'Sign in' }).click();
    await tab.page.getByText('People connected').first().waitFor();
  });

  it('works with an account elsewhere, and leaves no code in the address', async () => {
    await enterFrom(['chat-auditors']);
    await tab.page.getByText('People connected').first().waitFor();
    expect(tab.page.url()).toBe(`${service.url}/admin/#/`);
    await tab.page.reload();
    await tab.page.getByText('People connected').first().waitFor();
  });

  it('takes people back whom the provider refuses, and says why in their language', async () => {
    await tab.close();
    tab = await Tab.open(browser, service.url, { locale: 'de-DE' }, [provider.issuer]);
    await enterFrom(null);
    await tab.page.getByText(/^Der Anbieter hat nicht bestätigt, wer Sie sind.* \(trace [0-9a-f-]{36}\)$/).waitFor();
    expect(new URL(tab.page.url()).pathname).toBe('/admin/');
    expect(tab.page.url()).not.toContain('sso-error');
    await enterFrom(['chat-admins']);
    await tab.page.getByText('Verbundene Personen').first().waitFor();
  });

  it('says that the dashboard is not for them to people without access', async () => {
    await enterFrom([]);
    await tab.page.getByText('The dashboard is for administrators and auditors.').waitFor();
  });
});
