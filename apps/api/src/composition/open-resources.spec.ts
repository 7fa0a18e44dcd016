import { expect, it } from 'vitest';
import { OpenResources } from './open-resources.js';

it('everything open is closed once, the last opened first, whatever fails', async () => {
  const closed: string[] = [];
  const resources = new OpenResources();
  resources.add('pool', (name) => closed.push(name));
  resources.add('subscription', (name) => {
    closed.push(name);
    throw new Error('gone already');
  });
  resources.add('timer', (name) => closed.push(name));

  await expect(resources.close()).rejects.toThrow('gone already');
  await resources.close();

  expect(closed).toEqual(['timer', 'subscription', 'pool']);
});
