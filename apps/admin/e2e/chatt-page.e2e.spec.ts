import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../api/src/tests/harness/free-port.testing.js';
import { startTestService, type TestService } from '../../api/src/tests/harness/test-service.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';
import './browser-note.testing.js';

let service: TestService;
let browser: Browser;
let page: string;
let broker: string;
const passphrase = 'correct horse battery staple';

beforeAll(async () => {
  if (!browserProgram) return;
  const [web, ws] = [await freePort(), await freePort()];
  page = `http://127.0.0.1:${web}`;
  broker = `ws://127.0.0.1:${ws}`;
  const environment = { CHATT_PORT: `${web}`, MQTT_WS_PORT: `${ws}`, CHATT_PASSPHRASE: passphrase };
  service = await startTestService({ environment });
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await service?.stop();
});

async function enter(nick: string, challenge = passphrase): Promise<Tab> {
  const tab = await Tab.open(browser, page, {}, [broker]);
  await tab.page.goto(page);
  await tab.page.getByLabel('Your name').fill(nick);
  await tab.page.getByLabel('Passphrase', { exact: true }).fill(challenge);
  await tab.page.getByRole('button', { name: 'Enter' }).click();
  return tab;
}
const say = async ({ page }: Tab, text: string) => {
  await page.locator('#input_text').fill(text);
  await page.locator('#input_text').press('Enter');
};
const shows = ({ page }: Tab, where: string, text: string) =>
  expect.poll(() => page.locator(where).innerText(), { timeout: 15_000 }).toContain(text);

describe.skipIf(!browserProgram)('the page of chaTT', () => {
  it('lets two people talk, in a room that they open, and runs nothing that they say', async () => {
    const [ada, bob] = [await enter('Ada'), await enter('Bob <b>')];
    await shows(ada, '#title', 'ChaTT-Yj');
    await shows(bob, '#all_texts', "It's empty here!");
    await say(ada, 'hello :) see http://example.org/x');
    await shows(bob, '#all_texts', 'Ada: hello 🙂 see (link to example.org)');
    await say(bob, '<img src=x onerror="document.title=1"> @Ada: مرحبا');
    await shows(ada, '#all_texts', 'Bob <b>: <img src=x onerror="document.title=1"> @Ada: مرحبا');
    await shows(ada, '#all_nicks', 'Bob <b>');
    await ada.page.getByLabel('Name of a new room').fill('a b');
    await ada.page.getByRole('button', { name: 'Add room' }).click();
    await shows(ada, '#room_note', 'Invalid room name!');
    await ada.page.getByLabel('Name of a new room').fill('garden');
    await ada.page.getByRole('button', { name: 'Add room' }).click();
    for (const tab of [ada, bob]) await tab.page.locator('#all_channels #all_rooms').getByText('garden').click();
    await say(bob, 'in the garden');
    await shows(ada, '#all_texts', 'Bob <b>: in the garden');
    await ada.screenshot('chatt');
    const late = await enter('Carol');
    await shows(late, '#all_texts', 'Ada: hello');
    await late.page.locator('#all_rooms').getByText('garden').click();
    await shows(late, '#all_texts', 'in the garden');
    await late.page.locator('#all_nicks').getByText('Ada').click();
    expect(await late.page.locator('#input_text').inputValue()).toBe('@Ada: ');
    for (const tab of [ada, bob, late]) {
      expect(tab.complaints).toEqual([]);
      await tab.close();
    }
  });

  it('says that one may not enter, and does not try again', async () => {
    const stranger = await enter('Eve', 'wrong');
    await shows(stranger, '#entrance_note', 'failed.');
    expect(await stranger.page.locator('#chat').isHidden()).toBe(true);
    await stranger.close();
  });

  it('comes back after a lost connection, with what was said meanwhile and what was typed', async () => {
    const ada = await enter('Ada');
    await shows(ada, '#title', 'ChaTT-Yj');
    await shows(ada, '#all_rooms', 'main');
    await service.restart(() => shows(ada, '#connection', 'lost').then(() => say(ada, 'typed meanwhile')));
    await shows(ada, '#all_texts', 'Ada: typed meanwhile');
    await ada.close();
  });
});
