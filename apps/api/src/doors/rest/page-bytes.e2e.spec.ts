import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { register, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { PAGE_BYTES } from './list-answer.js';

/** The longest texts there can be, of one to six bytes a letter as JSON, among short ones. */
const texts = ['😀', '\u0001', 'ก', 'ا', '"', 'x']
  .flatMap((letter) => [letter.repeat(7_990), `short ${letter}`, letter.repeat(7_000), letter.repeat(7_990)])
  .flatMap((text) => Array.from({ length: 4 }, () => `wide ${text}`));

let service: TestService;
let ada: TestPerson;
let room: string;

beforeAll(async () => {
  service = await startTestService();
  ada = await register(service.url);
  room = await ada.room();
  for (const text of texts)
    await ada.client.call('postMessage', { params: { id: room }, body: { text, id: randomUUID() } });
});
afterAll(() => service.stop());

/** All pages of a list by its cursors: how many bytes and items each has, and all items. */
async function pages(path: string, limit: number) {
  const sizes: { bytes: number; items: number }[] = [];
  const all: { id: string }[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { status, text, body } = await ada.get(
      `${path}${path.includes('?') ? '&' : '?'}limit=${limit}&cursor=${cursor}`,
    );
    expect(status).toBe(200);
    sizes.push({ bytes: Buffer.byteLength(text), items: body.items.length });
    all.push(...body.items);
    cursor = body.page.next;
  }
  return { sizes, all };
}

describe('a page of long texts ends early, with a cursor for the rest:', () => {
  it.each([
    ['events', () => `/v1/rooms/${room}/events`],
    ['messages, newest first', () => `/v1/rooms/${room}/messages`],
    ['messages, oldest first', () => `/v1/rooms/${room}/messages?order=oldest`],
    ['search', () => `/v1/search?q=wide&room=${room}`],
    ['search in all rooms', () => '/v1/search?q=wide'],
  ])('%s', async (_, path) => {
    const { sizes, all } = await pages(path(), 200);
    expect(sizes.length).toBeGreaterThan(1);
    for (const { bytes, items } of sizes) {
      expect(items).toBeGreaterThan(0);
      expect(bytes).toBeLessThan(PAGE_BYTES + 200);
    }
    // Nobody has to ask for much more pages than that: most are nearly full.
    expect(sizes.length).toBeLessThan(3 + (2 * sizes.reduce((sum, { bytes }) => sum + bytes, 0)) / PAGE_BYTES);
    expect(all.length).toBeGreaterThanOrEqual(texts.length);
    expect(all).toEqual((await pages(path(), 3)).all);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it('the inbox', async () => {
    const people = await register(service.url);
    for (let i = 0; i < 40; i++) {
      const id = await people.room();
      await people.client.call('postMessage', { params: { id }, body: { text: '😀'.repeat(8_000) } });
    }
    const { body, text } = await people.get('/v1/inbox?limit=200');
    expect(Buffer.byteLength(text)).toBeLessThan(PAGE_BYTES + 200);
    expect(body.page.next).not.toBeNull();
    const rooms = (await people.all('/v1/inbox')).map(({ room }) => room.id);
    expect(rooms).toHaveLength(40);
    expect(new Set(rooms).size).toBe(40);
  });

  it('to HEAD, too, it is answered with its length and nothing else', async () => {
    const path = `${service.url}/v1/rooms/${room}/events?limit=200`;
    const headers = { authorization: `Bearer ${ada.accessToken}` };
    const [head, get] = [await fetch(path, { method: 'HEAD', headers }), await fetch(path, { headers })];
    expect(head.status).toBe(200);
    expect(Number(head.headers.get('content-length'))).toBe((await get.arrayBuffer()).byteLength);
    expect(await head.text()).toBe('');
  });
});

it('followers get long texts of the past as well, without gap or duplicate', async () => {
  const socket = await ada.follow(room, -1);
  const revisions = () =>
    socket.frames.flatMap(({ event, data }) =>
      event === 'events' ? (data as { events: { revision: number }[] }).events : [],
    );
  await expect.poll(() => revisions().length, { timeout: 15_000 }).toBe(texts.length + 2);
  expect(revisions().map(({ revision }) => revision)).toEqual(revisions().map((_, i) => i));
  socket.close();
});
