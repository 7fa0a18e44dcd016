import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { eventually } from '../../api/src/tests/harness/test-client.testing.js';

/** Where Chromium may be installed; the first one found is used. */
const places = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** The browser to test with; undefined if there is none, in which case browser tests are skipped. */
export const browserProgram = places.find((place) => place && existsSync(place));

/** Screenshots are for people to look at, and take time: they are taken with SCREENSHOTS=1 only. */
const takesScreenshots = process.env.SCREENSHOTS === '1';
const screenshots = fileURLToPath(new URL('../test-results/', import.meta.url));

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: browserProgram,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

const signInButton = /^(sign in|anmelden)$/i;
/** Long, for busy machines. */
const TIMEOUT_MS = 60_000;

/** A tab with empty storage that records errors of the page and requests to other origins. */
export class Tab {
  /** Errors, and requests to other origins. */
  readonly complaints: string[] = [];

  private constructor(
    readonly page: Page,
    private readonly url: string,
  ) {}

  /** Requests to origins other than the service and `alsoTo` are recorded as complaints. */
  static async open(
    browser: Browser,
    url: string,
    options: BrowserContextOptions = {},
    alsoTo: readonly string[] = [],
  ): Promise<Tab> {
    const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 900 }, ...options });
    context.setDefaultTimeout(TIMEOUT_MS);
    const tab = new Tab(await context.newPage(), url);
    tab.page.on('pageerror', (error) => tab.complaints.push(`${error}`));
    tab.page.on('console', (message) => {
      // Refused calls appear in the console too; they are not a fault of the page.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
        tab.complaints.push(message.text());
      }
    });
    tab.page.on('request', (request) => {
      if (![url, 'data:', ...alsoTo].some((place) => request.url().startsWith(place)))
        tab.complaints.push(request.url());
    });
    return tab;
  }

  /** Opens a page of the dashboard by the part of its address after the #. */
  async goTo(place: string): Promise<void> {
    await this.page.goto(`${this.url}/admin/#${place}`);
  }

  /** Submits the sign-in form without waiting for the outcome. */
  async submitSignIn({ username, password }: { username: string; password: string }): Promise<void> {
    await this.page.getByRole('textbox', { name: /username|benutzername/i }).fill(username);
    await this.page.getByRole('textbox', { name: /^(password|passwort)/i }).fill(password);
    await this.page.getByRole('button', { name: signInButton }).click();
  }

  async signIn(credentials: { username: string; password: string }): Promise<void> {
    await this.submitSignIn(credentials);
    await this.page.getByRole('button', { name: signInButton }).waitFor({ state: 'hidden' });
  }

  /** Sets the colour scheme of the machine, and waits until the page has changed. */
  async switchTo(colours: 'light' | 'dark'): Promise<void> {
    await this.page.emulateMedia({ colorScheme: colours });
    const ground = 'getComputedStyle(document.body).backgroundColor';
    await eventually(
      () => this.page.evaluate<string>(ground),
      (colour) => isDark(colour) === (colours === 'dark'),
    );
  }

  async screenshotInDark(name: string): Promise<void> {
    if (!takesScreenshots) return;
    await this.switchTo('dark');
    await this.screenshot(name);
    await this.switchTo('light');
  }

  /** Writes `apps/admin/test-results/<name>.png`, if screenshots are wanted. */
  async screenshot(name: string): Promise<void> {
    if (!takesScreenshots) return;
    mkdirSync(screenshots, { recursive: true });
    await this.page.screenshot({ path: `${screenshots}${name}.png` });
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}

/** Takes a colour such as `rgb(18, 18, 18)`. */
const isDark = (colour: string): boolean =>
  (colour.match(/\d+/g) ?? []).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) < 3 * 128;
