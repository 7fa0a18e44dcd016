import { expect, it } from 'vitest';
import { z } from 'zod';
import { InvalidConfiguration, readConfig } from '../config.js';
import { door } from '../host/part.js';

const echo = door({ name: 'echo', settings: { ECHO_PORT: z.coerce.number().int().max(65_535) }, open: () => ({}) });

it('a setting of a door is parsed with the others', () => {
  expect(readConfig({ ECHO_PORT: '7' }, [echo])).toMatchObject({ ECHO_PORT: 7, PORT: 3000 });
});

it('a wrong setting of a door is named beside those of the service', () => {
  const read = () => readConfig({ ECHO_PORT: 'seven', PORT: 'many' }, [echo]);
  expect(read).toThrow(InvalidConfiguration);
  expect(read).toThrow(/PORT .*ECHO_PORT /);
});

it('settings of an absent door are ignored', () => {
  expect(readConfig({ ECHO_PORT: 'seven' })).not.toHaveProperty('ECHO_PORT');
});
