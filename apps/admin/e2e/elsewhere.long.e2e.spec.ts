import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client, TestProvider } from '../../api/src/application/single-sign-on/provider.testing.js';
import { freePort } from '../../api/src/tests/harness/free-port.testing.js';
import { freshName, register, signIn, type TestPerson } from '../../api/src/tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../api/src/tests/harness/test-service.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';

describe.skipIf(!browserProgram)('the dashboard of another web server', { timeout: 180_000 }, () => {
  let here: WebServer;
  let stranger: WebServer;
  let provider: TestProvider;
  let service: TestService;
  let browser: Browser;
  let admin: TestPerson;
  let tab: Tab;
  let page: Page;
  beforeAll(async () => {
    [here, stranger, browser] = await Promise.all([WebServer.start(), WebServer.start(), openBrowser()]);
    const port = await freePort();
    const callback = `http://127.0.0.1:${port}/v1/auth/sso/callback`;
    provider = await TestProvider.start(callback);
    const environment = {
      PORT: `${port}`,
      ALLOWED_ORIGINS: here.origin,
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: client.id,
      OIDC_CLIENT_SECRET: client.secret,
      OIDC_REDIRECT_URI: callback,
      OIDC_SCOPES: 'openid email profile groups',
      OIDC_ROLE_CLAIM: 'groups',
      OIDC_ADMIN_VALUE: 'chat-admins',
    };
    service = await startTestService({ environment });
    admin = await signIn(service.url);
    tab = await openTab(here);
    page = tab.page;
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await Promise.all([provider?.stop(), here?.stop(), stranger?.stop()]);
  });

  const openTab = async ({ origin }: WebServer): Promise<Tab> => {
    const opened = await Tab.open(browser, origin, { acceptDownloads: true }, [service.url, provider.issuer]);
    // What was built without the variable looks for it in the page, so one build is enough for both.
    await opened.page.addInitScript(`globalThis.process = { env: { NEXT_PUBLIC_API_URL: '${service.url}/' } }`);
    return opened;
  };
  const button = (name: string) => page.getByRole('button', { name });

  it('lets administrators in and shows lists', async () => {
    const { username } = await register(service.url);
    await tab.goTo('/users');
    await tab.signIn(administrator);
    await page.getByRole('cell', { name: username }).first().waitFor();
    expect(new URL(page.url()).origin).toBe(here.origin);
  });

  it('downloads the people', async () => {
    const [file] = await Promise.all([page.waitForEvent('download'), button('Download').click()]);
    expect(await readFile(await file.path(), 'utf8')).toContain(administrator.username);
  });

  it('shows a room that one gives a reason for, live, and changes it', async () => {
    const ada = await register(service.url);
    const room = await ada.room({ name: freshName(), visibility: 'hidden' });
    await ada.says(room, 'said before');
    const sockets: string[] = [];
    page.on('websocket', (socket) => sockets.push(socket.url()));
    await tab.goTo(`/rooms/${room}/show/messages`);
    await page.getByRole('textbox', { name: /reason/i }).fill('To try the dashboard.');
    await button('Read').click();
    await page.getByText('said before').waitFor();
    await ada.says(room, 'said just now');
    await page.getByText('said just now').waitFor();
    expect(sockets.map((url) => new URL(url).host)).toContain(new URL(service.url).host);
  });

  it('changes things, and signs out', async () => {
    const ada = await register(service.url);
    await tab.goTo(`/users/${ada.id}/show`);
    await button('Suspend').click();
    await page.getByRole('dialog').getByRole('textbox', { name: 'Reason' }).fill('Spam.');
    await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
    await page.getByText('Suspended', { exact: true }).waitFor();
    expect((await admin.get(`/v1/users/${ada.id}`)).body.suspended).toBe(true);
    const sessions = async () => (await admin.get('/v1/me/sessions')).body.items.length;
    const before = await sessions();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await button('Profile').click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await button('Sign in').waitFor();
    await expect.poll(sessions).toBe(before - 1);
    expect(tab.complaints).toEqual([]);
  });

  it('leads back from single sign-on, let in or not', async () => {
    const enter = page.getByRole('link', { name: 'Single sign-on' });
    await enter.click();
    await page.getByText('The identity provider did not confirm who you are').waitFor();
    const name = freshName();
    provider.next = { sub: name, preferred_username: name, groups: ['chat-admins'] };
    await enter.click();
    await page.getByText('People connected').first().waitFor();
    expect(page.url()).toBe(`${here.origin}/admin/#/`);
    expect(tab.complaints).toEqual([]);
  });

  it('gets no answers if its origin is not allowed', async () => {
    const foreign = await openTab(stranger);
    await foreign.goTo('/');
    await foreign.submitSignIn(administrator);
    await foreign.page.getByText('The service is not responding').waitFor();
    for (const complaint of foreign.complaints) expect(complaint).toMatch(/blocked by CORS policy/);
    await foreign.close();
  });
});

/** A web server as plain as they come, with the dashboard as it was built. */
class WebServer {
  private constructor(
    private readonly server: Server,
    readonly origin: string,
  ) {}

  static async start(): Promise<WebServer> {
    const files = fileURLToPath(new URL('../out/', import.meta.url));
    const server = createServer(async ({ url = '' }, response) => {
      const { pathname } = new URL(url, 'http://here');
      const name = pathname.replace(/^\/admin\//, '').replace(/^$/, 'index.html');
      const text = await readFile(join(files, name)).catch(() => null);
      response.writeHead(text ? 200 : 404, { 'content-type': types[extname(name)] ?? 'application/octet-stream' });
      response.end(text);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new WebServer(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
