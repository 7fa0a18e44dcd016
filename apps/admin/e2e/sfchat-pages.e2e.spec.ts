import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../api/src/tests/harness/free-port.testing.js';
import { startTestService, type TestService } from '../../api/src/tests/harness/test-service.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';

/** Machines may be busy. */
const soon = { timeout: 15_000 };

let service: TestService;
let browser: Browser;
let url: string;

/** A browser of its own, and whether anything in it went wrong. */
async function visitor(options = {}): Promise<Tab> {
  const tab = await Tab.open(browser, url, options);
  await tab.page.goto(url);
  return tab;
}

/** Both are in a chat and may write. */
async function twoInAChat(): Promise<[Tab, Tab]> {
  const [ada, bob] = [await visitor(), await visitor()];
  await ada.page.locator('#create_chat').click();
  const code = await ada.page.locator('#chat-body mark').textContent();
  await bob.page.locator('#id_chat_token').fill(code ?? '');
  await bob.page.locator('#join_chat').click();
  for (const { page } of [ada, bob]) await page.locator('#id_chat_type:enabled').waitFor();
  return [ada, bob];
}

const said = ({ page }: Tab) => page.locator('.message:not(.system)').allInnerTexts();
const notes = ({ page }: Tab) => page.locator('.message.system .msg-text').allInnerTexts();

async function say({ page }: Tab, text: string): Promise<void> {
  await page.locator('#id_chat_type').fill(text);
  await page.locator('#id_chat_type').press('Enter');
}

async function close(...tabs: Tab[]): Promise<void> {
  for (const tab of tabs) {
    expect(tab.complaints).toEqual([]);
    await tab.close();
  }
}

describe.skipIf(!browserProgram)('the pages of SFChat', { timeout: 120_000 }, () => {
  beforeAll(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    [service, browser] = await Promise.all([
      startTestService({ environment: { SFCHAT_PORT: `${port}` } }),
      openBrowser(),
    ]);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  it('lets two people talk in two browsers', async () => {
    const [ada, bob] = await twoInAChat();
    expect(await ada.page.locator('.btn').getAttribute('class')).toBe('btn btn-green');
    expect(await ada.page.locator('main > #chat').count()).toBe(1);
    await say(ada, 'Hello <b>Bob</b> & friends');
    await expect
      .poll(() => said(bob))
      .toEqual([expect.stringMatching(/^\[\d\d:\d\d:\d\d\] Talker: Hello <b>Bob<\/b> & friends$/)]);
    await say(bob, 'مرحبا بالعالم');
    await say(bob, 'again');
    await expect.poll(() => said(ada), soon).toHaveLength(3);
    expect((await said(ada)).map((line) => line.slice(11))).toEqual([
      'You: Hello <b>Bob</b> & friends',
      'Talker: مرحبا بالعالم',
      '... again',
    ]);
    expect(await ada.page.evaluate(`getComputedStyle(document.querySelectorAll('.msg-text')[3]).direction`)).toBe(
      'rtl',
    );
    await ada.screenshot('sfchat-chat');
    await ada.screenshotInDark('sfchat-chat-dark');
    await close(ada, bob);
  });

  it('begins a new line with Shift+Enter, and sends the text once however often Enter is pressed', async () => {
    const [ada, bob] = await twoInAChat();
    const field = ada.page.locator('#id_chat_type');
    await field.pressSequentially('one');
    await field.press('Shift+Enter');
    await field.pressSequentially('two');
    await Promise.all([field.press('Enter'), field.press('Enter'), field.press('Enter')]);
    await expect
      .poll(() => bob.page.locator('.message:not(.system) .msg-text').allInnerTexts(), soon)
      .toEqual(['one\ntwo']);
    expect(await said(ada)).toHaveLength(1);
    expect(await field.inputValue()).toBe('');
    await close(ada, bob);
  });

  it('shows the history after a reload, from the tab and not from the server', async () => {
    const [ada, bob] = await twoInAChat();
    await say(ada, 'remember this');
    await expect.poll(() => said(bob), soon).toHaveLength(1);
    await bob.page.reload();
    await expect.poll(() => said(bob), soon).toEqual([expect.stringContaining('remember this')]);
    await bob.page.locator('#id_chat_type:enabled').waitFor();
    await say(bob, 'I do');
    await expect.poll(() => said(ada), soon).toHaveLength(2);
    const stranger = await visitor();
    await stranger.page.goto(ada.page.url());
    await stranger.page.locator('#error-general:not(.hide)').waitFor();
    expect(await said(stranger)).toEqual([]);
    await close(ada, bob, stranger);
  });

  it('counts what is unread in the title, and ends for both when one leaves, by keyboard too', async () => {
    const [ada, bob] = await twoInAChat();
    await bob.page.locator('#chat-body').click();
    await ada.page.locator('#id_chat_type').blur();
    await say(ada, 'one');
    await say(ada, 'two');
    await expect.poll(() => bob.page.title(), soon).toBe('(2) SFChat - Secure Free Chat');
    await bob.page.locator('#chat-body').click();
    expect(await bob.page.title()).toBe('SFChat - Secure Free Chat');
    await ada.page.locator('#chat-close').focus();
    await ada.page.keyboard.press('Enter');
    await expect
      .poll(() => notes(ada), soon)
      .toContain('Thank you for using SFChat\nCurrent chat was successfully closed.');
    await expect
      .poll(() => notes(bob))
      .toContain('Thank you for using SFChat.\nChat was successfully closed by Talker.');
    for (const { page } of [ada, bob]) {
      await page.locator('#id_chat_type:disabled').waitFor();
      expect(await page.locator('#chat-type .btn').getAttribute('class')).toBe('btn btn-green btn-grey');
      expect(await page.evaluate('sessionStorage.length')).toBe(0);
    }
    await bob.screenshot('sfchat-closed');
    await close(ada, bob);
  });

  it('goes on when the service was restarted, without a reload', async () => {
    const [ada, bob] = await twoInAChat();
    await service.restart(async () => {
      await ada.page.locator('#error-general:not(.hide)').waitFor();
    });
    await say(ada, 'are you still there?');
    await expect.poll(() => said(bob), soon).toEqual([expect.stringContaining('are you still there?')]);
    await ada.page.locator('#error-general.hide').waitFor({ state: 'attached' });
    await close(ada, bob);
  });

  it('stays with the person who opens a chat and joins it in the same tab', async () => {
    const ada = await visitor();
    await ada.page.locator('#create_chat').click();
    const code = await ada.page.locator('#chat-body mark').textContent();
    await ada.page.goto(url);
    await ada.page.locator('#id_chat_token').fill(code ?? '');
    await ada.page.locator('#join_chat').click();
    await expect.poll(() => notes(ada), soon).toEqual(['Chat is ready to use']);
    await close(ada);
  });

  it('can be used on a small screen, and says what is wrong with a code', async () => {
    const ada = await visitor({ viewport: { width: 360, height: 640 } });
    await ada.screenshot('sfchat-home-small');
    await ada.page.locator('#id_chat_token').fill('0'.repeat(24));
    await ada.page.locator('#join_chat').click();
    expect(await ada.page.locator('.errorlist').getAttribute('class')).toBe('errorlist');
    expect(await ada.page.locator('.errorlist').innerText()).toBe('Invalid code.');
    await ada.screenshot('sfchat-invalid-code');
    await ada.page.setViewportSize({ width: 1280, height: 900 });
    await ada.screenshot('sfchat-home');
    for (const [link, title] of [
      ['Privacy', 'SFChat: Privacy'],
      ['FAQ', 'SFChat: FAQ'],
      ['License', 'SFChat: License'],
    ] as const) {
      await ada.page.getByRole('link', { name: link }).click();
      await expect.poll(() => ada.page.title(), soon).toBe(title);
    }
    await close(ada);
  });
});
