import { describe, expect, it } from 'vitest';
import { asyncapi } from './asyncapi.js';
import { answerTo, clientEvents, closeReasons, serverEvents } from './frames.js';
import { referencesIn, resolve } from './references.testing.js';

// biome-ignore lint/suspicious/noExplicitAny: the document is data of many shapes.
const document: any = JSON.parse(JSON.stringify(asyncapi({ version: '1.2.3' })));

it('is the same each time', () => {
  expect(JSON.stringify(asyncapi({ version: '1.2.3' }))).toBe(JSON.stringify(asyncapi({ version: '1.2.3' })));
  expect(document.info.version).toBe('1.2.3');
});

it('has references that all lead somewhere', () => {
  expect(referencesIn(document).filter((reference) => resolve(document, reference) === undefined)).toEqual([]);
});

it('uses every schema', () => {
  const used = new Set(referencesIn(document));
  for (const name of Object.keys(document.components.schemas)) expect(used).toContain(`#/components/schemas/${name}`);
});

it('explains every code that closes a connection', () => {
  for (const { code } of Object.values(closeReasons))
    expect(document.channels.socket.description).toContain(`| ${code} |`);
});

describe('the socket', () => {
  const messageOf = (key: string) => resolve(document, document.channels.socket.messages[key]);

  it.each([
    ...clientEvents.map((event) => [`client.${event}`, event]),
    ...serverEvents.map((event) => [`server.${event}`, event]),
  ])('carries %s', (key, event) => {
    expect(messageOf(key)).toMatchObject({ name: event, summary: expect.any(String), payload: { type: 'object' } });
  });

  it.each(clientEvents)('receives %s and answers it', (event) => {
    const operation = document.operations[`client.${event}`];
    expect(operation.action).toBe('receive');
    const expected = [answerTo[event], 'error'].filter((answer) => answer !== null);
    const names = operation.reply.messages.map((reply: object) => (resolve(document, reply) as { name: string }).name);
    expect(names).toEqual(expected);
  });

  it('sends the other frames unasked', () => {
    const sent = Object.entries<{ action: string }>(document.operations).filter(([, { action }]) => action === 'send');
    expect(sent.map(([key]) => key)).toEqual(
      ['hello', 'events', 'typing', 'presence', 'removed', 'changed', 'error', 'maintenance', 'drain'].map(
        (event) => `server.${event}`,
      ),
    );
  });

  it('says that ping needs no data', () => {
    expect(messageOf('client.ping')).toMatchObject({ payload: { required: ['event'] } });
    expect(messageOf('client.post')).toMatchObject({ payload: { required: ['event', 'data'] } });
  });
});
