import { request } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testCertificates } from '../../../libs/event-store/src/certificates.testing.js';
import { freePort } from '../../api/src/tests/harness/free-port.testing.js';
import { startTestService, type TestService } from '../../api/src/tests/harness/test-service.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';

let service: TestService;
let proxy: Server;
let browser: Browser;
let url: string;
const tabs: Tab[] = [];

/** A proxy with TLS, as there is one in front of the service wherever others can reach it. */
async function proxyTo(port: number): Promise<Server> {
  const server = createServer({ key: testCertificates.key, cert: testCertificates.certificate }, (asked, answer) => {
    const passed = { host: '127.0.0.1', port, method: asked.method, path: asked.url, headers: asked.headers };
    asked.pipe(
      request(passed, (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      }),
    );
  });
  server.on('upgrade', (asked, socket, head) => {
    const on = connect(port, '127.0.0.1', () => {
      const { rawHeaders } = asked;
      const headers = rawHeaders.map((text, i) => (i % 2 ? `${text}\r\n` : `${text}: `)).join('');
      on.write(`${asked.method} ${asked.url} HTTP/1.1\r\n${headers}\r\n`);
      on.write(head);
      on.pipe(socket).pipe(on);
    });
    on.on('error', () => socket.destroy());
    socket.on('error', () => on.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function open(path: string): Promise<Page> {
  const tab = await Tab.open(browser, url, { ignoreHTTPSErrors: true }, [url.replace('https', 'wss')]);
  tabs.push(tab);
  await tab.page.goto(`${url}${path}`);
  return tab.page;
}

/** What is to be seen in the conversation: whose it is, and what it says. */
const bubbles = (page: Page): Promise<string[]> =>
  page.$$eval('.bubble', (all) =>
    all.map(
      (bubble) =>
        `${bubble.className} ${bubble.querySelector('bdi')?.textContent}: ${bubble.querySelector('span')?.textContent}`,
    ),
  );

describe.skipIf(!browserProgram)('the pages for chitchat, over TLS', { timeout: 180_000 }, () => {
  beforeAll(async () => {
    const port = await freePort();
    const environment = { CHITCHAT_PORT: `${port}` };
    [service, browser, proxy] = await Promise.all([startTestService({ environment }), openBrowser(), proxyTo(port)]);
    url = `https://localhost:${(proxy.address() as AddressInfo).port}`;
  }, 180_000);
  afterAll(async () => {
    for (const tab of tabs) expect(tab.complaints).toEqual([]);
    await browser?.close();
    proxy?.close();
    await service?.stop();
  });

  it('lead two people into a secret room, with the keyboard alone', async () => {
    const ann = await open('/');
    await ann.getByLabel('Title').fill('Secret <b>club</b>');
    await ann.getByLabel('Secret: not listed').check();
    await ann.getByLabel('Password', { exact: true }).fill('open sesame');
    await ann.keyboard.press('Enter');
    await ann.waitForURL(/\/chats\/\d+\/entrance$/);
    const enter = async (page: Page, name: string, secret: string) => {
      await page.getByLabel('Your name').fill(name);
      await page.getByLabel('Password', { exact: true }).fill(secret);
      await page.keyboard.press('Enter');
    };
    await enter(ann, 'Ann', 'wrong password');
    await expect.poll(() => ann.getByRole('alert').textContent()).toBe('Incorrect password.');
    await enter(ann, 'Ann', 'open sesame');
    await expect.poll(() => bubbles(ann), { timeout: 15_000 }).toEqual(['bubble own Ann: Ann entered the room.']);
    await ann.keyboard.type('Is this <i>thing</i> on?');
    await ann.keyboard.press('Enter');

    const bob = await open(new URL(ann.url()).pathname);
    await enter(bob, 'ANN', 'open sesame');
    await expect.poll(() => bob.getByRole('alert').textContent()).toBe('Someone in the room already has this name.');
    await enter(bob, 'Bob', 'open sesame');
    await expect.poll(() => bubbles(bob), { timeout: 15_000 }).toContain('bubble Ann: Is this <i>thing</i> on?');
    await bob.keyboard.type('مرحبا 你好');
    await bob.keyboard.press('Enter');
    await expect
      .poll(() => bubbles(ann), { timeout: 15_000 })
      .toEqual([
        'bubble own Ann: Ann entered the room.',
        'bubble own Ann: Is this <i>thing</i> on?',
        'bubble Bob: Bob entered the room.',
        'bubble Bob: مرحبا 你好',
      ]);
    await bob.close();
    await expect.poll(() => bubbles(ann), { timeout: 15_000 }).toContain('bubble Bob: Bob has left the room.');
  });

  it('list the rooms, and say when a title is taken', async () => {
    const page = await open('/');
    expect(await page.getByRole('link', { name: /Public Chat/ }).count()).toBe(1);
    expect(await page.getByText('Secret').count()).toBe(1);
    await page.getByLabel('Title').fill('public CHAT');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getByRole('alert').textContent()).toBe('A room of this title already exists.');
    await page.getByRole('link', { name: /Public Chat/ }).click();
    await page.waitForURL(/\/chats\/1\/entrance$/);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Public Chat');
  });
});
