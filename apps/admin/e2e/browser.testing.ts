import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { eventually } from '../../api/src/tests/harness/test-client.testing.js';

/** Where a Chromium may be found; the first one that is there is used. */
const places = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** The program to test with; undefined: there is none, and tests in a browser are left out. */
export const browserProgram = places.find((place) => place && existsSync(place));

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
/** Milliseconds; a busy machine may need them. */
const PATIENCE = 60_000;

/** A tab with nothing stored, which fails on what goes wrong in the page unnoticed, and on calls to other places. */
export class Tab {
  /** What should not have happened. */
  readonly complaints: string[] = [];

  private constructor(
    readonly page: Page,
    private readonly url: string,
  ) {}

  /** Other places than the service and those of `alsoTo` are complained of. */
  static async open(
    browser: Browser,
    url: string,
    options: BrowserContextOptions = {},
    alsoTo: readonly string[] = [],
  ): Promise<Tab> {
    const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 900 }, ...options });
    context.setDefaultTimeout(PATIENCE);
    const tab = new Tab(await context.newPage(), url);
    tab.page.on('pageerror', (error) => tab.complaints.push(`${error}`));
    tab.page.on('console', (message) => {
      // That a call was refused is told here too, and is no fault of the page.
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

  /** Opens a page of the dashboard by its address behind the #. */
  async goTo(place: string): Promise<void> {
    await this.page.goto(`${this.url}/admin/#${place}`);
  }

  /** Fills the sign-in page and sends it off; what comes of it is for the test to see. */
  async offer({ username, password }: { username: string; password: string }): Promise<void> {
    await this.page.getByRole('textbox', { name: /username|benutzername/i }).fill(username);
    await this.page.getByRole('textbox', { name: /^(password|passwort)/i }).fill(password);
    await this.page.getByRole('button', { name: signInButton }).click();
  }

  async signIn(credentials: { username: string; password: string }): Promise<void> {
    await this.offer(credentials);
    await this.page.getByRole('button', { name: signInButton }).waitFor({ state: 'hidden' });
  }

  /** Lets the page be light or dark from now on, as the person's machine would, and waits until it is. */
  async turn(colours: 'light' | 'dark'): Promise<void> {
    await this.page.emulateMedia({ colorScheme: colours });
    const ground = 'getComputedStyle(document.body).backgroundColor';
    await eventually(
      () => this.page.evaluate<string>(ground),
      (colour) => isDark(colour) === (colours === 'dark'),
    );
  }

  async pictureInDark(name: string): Promise<void> {
    await this.turn('dark');
    await this.screenshot(name);
    await this.turn('light');
  }

  async screenshot(name: string): Promise<void> {
    mkdirSync(screenshots, { recursive: true });
    await this.page.screenshot({ path: `${screenshots}${name}.png` });
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}

/** Of a colour as `rgb(18, 18, 18)`. */
const isDark = (colour: string): boolean =>
  (colour.match(/\d+/g) ?? []).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) < 3 * 128;
