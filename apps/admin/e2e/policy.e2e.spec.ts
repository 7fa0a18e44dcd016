import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { administrator, startTestService, type TestService } from '../../api/src/tests/harness/test-service.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';

/** Violations of the policy, as reported to the page. */
interface Watched {
  readonly violations: string[];
  ran?: boolean;
}

/** In the page: notes what the browser keeps it from doing. */
const watching = {
  content: `
  globalThis.watched = { violations: [] };
  addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
    watched.violations.push(effectiveDirective + ' ' + blockedURI)
  );
`,
};

/** In the page: adds a script written into it, and one from an address that is not ours. */
const writingScripts = `
  const inline = document.createElement('script');
  inline.textContent = 'globalThis.watched.ran = true';
  document.body.append(inline);
  const elsewhere = document.createElement('script');
  elsewhere.src = 'data:text/javascript,globalThis.watched.ran = true';
  document.body.append(elsewhere);
`;

const policyOf = async (url: string): Promise<Map<string, readonly string[]>> => {
  const header = (await fetch(url)).headers.get('content-security-policy') ?? '';
  return new Map(
    header.split(';').map((directive) => {
      const [name = '', ...sources] = directive.trim().split(/\s+/);
      return [name, sources];
    }),
  );
};

describe.skipIf(!browserProgram)('the policy of the pages', { timeout: 180_000 }, () => {
  let service: TestService;
  let browser: Browser;
  beforeAll(async () => {
    [service, browser] = await Promise.all([startTestService(), openBrowser()]);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  const openTab = async (): Promise<Tab> => {
    const tab = await Tab.open(browser, service.url);
    await tab.page.addInitScript(watching);
    return tab;
  };
  const watchedIn = (page: Page): Promise<Watched> => page.evaluate('watched');

  it.each(['/admin/', '/docs'])('of %s allows no script but our own, by address or by hash', async (path) => {
    const policy = await policyOf(`${service.url}${path}`);
    expect(policy.get('default-src')).toEqual(["'none'"]);
    for (const source of policy.get('script-src') ?? ['nothing'])
      expect(source).toMatch(/^'(self|sha256-[\w+/]{43}=)'$/);
    for (const name of ['base-uri', 'form-action', 'frame-ancestors']) expect(policy.get(name)).toEqual(["'none'"]);
    expect(policy.get('script-src-elem') ?? policy.get('script-src-attr')).toBeUndefined();
  });

  it('is no hindrance to the dashboard on any of its pages', async () => {
    const tab = await openTab();
    await tab.goTo('/');
    await tab.signIn(administrator);
    await tab.page.getByText('Everything works').first().waitFor();
    await tab.page.locator('figure svg').first().waitFor();
    expect(await watchedIn(tab.page)).toEqual({ violations: [] });
    for (const [place, shows] of [
      ['/users', 'admin'],
      ['/rooms', 'There are no rooms yet'],
      ['/rooms/create', 'Anyone can find and join it'],
      ['/projections', 'In use'],
      ['/settings', 'Current settings'],
    ] as const) {
      await tab.goTo(place);
      await tab.page.getByText(shows).first().waitFor();
    }
    expect(await watchedIn(tab.page)).toEqual({ violations: [] });
    expect(tab.complaints).toEqual([]);
    await tab.close();
  });

  it('is no hindrance to the page of the API', async () => {
    const tab = await openTab();
    await tab.page.goto(`${service.url}/docs`);
    await tab.page.getByText('/v1/auth/register').first().waitFor();
    expect(await watchedIn(tab.page)).toEqual({ violations: [] });
    expect(tab.complaints).toEqual([]);
    await tab.close();
  });

  const injected =
    '<script>globalThis.watched.ran = true</script><img src="x" onerror="globalThis.watched.ran = true">';

  it.each(['/admin/', '/docs'])('keeps scripts from running that somebody got into %s', async (path) => {
    const tab = await openTab();
    await tab.page.route(`**${path}`, async (route) => {
      const answer = await route.fetch();
      const body = (await answer.text()).replace(/<body[^>]*>/, (tag) => `${tag}${injected}`);
      expect(body).toContain(injected);
      await route.fulfill({ response: answer, body });
    });
    await tab.page.goto(`${service.url}${path}`);
    await tab.page.waitForFunction('watched.violations.length >= 2');
    const { violations, ran } = await watchedIn(tab.page);
    expect(ran).toBeUndefined();
    expect(violations).toContain('script-src-elem inline');
    expect(violations).toContain('script-src-attr inline');
    await tab.close();
  });

  it('keeps scripts from running that the page itself is made to write', async () => {
    const tab = await openTab();
    await tab.goTo('/');
    await tab.page.evaluate(writingScripts);
    await tab.page.waitForFunction('watched.violations.length >= 2');
    expect((await watchedIn(tab.page)).ran).toBeUndefined();
    await tab.close();
  });
});
