import { register, signIn } from '../../api/src/tests/harness/test-client.testing.js';

/** Ids that the pages show. */
export interface Settled {
  readonly room: string;
  readonly person: string;
  readonly bot: string;
  /** A suspended person. */
  readonly suspended: string;
}

/** Creates people and rooms with a history, through the API. */
export async function settle(url: string): Promise<Settled> {
  const admin = await signIn(url);
  const [ada, grace] = [await register(url, 'ada'), await register(url, 'grace')];
  await ada.patch('/v1/me', { displayName: 'Ada Lovelace' });
  await ada.post('/v1/me/tokens', { name: 'build server', scopes: ['read'] });
  const { body: bot } = await admin.post('/v1/bots', { username: 'robby' });
  await grace.patch('/v1/me', { displayName: 'Grace Hopper' });
  for (const name of ['linus', 'margaret', 'barbara', 'edsger']) await register(url, name);
  const suspended = await register(url, 'mallory');
  await admin.patch(`/v1/users/${suspended.id}`, { suspended: true });
  const { id } = (await ada.post('/v1/rooms', { name: 'engine room', topic: 'Notes on the analytical engine' })).body;
  await grace.post(`/v1/rooms/${id}/members`, {});
  await ada.post(`/v1/rooms/${id}/members`, { userId: admin.id });
  for (let i = 1; i <= 40; i += 1) {
    const who = i % 3 === 0 ? grace : ada;
    const { body } = await who.post(`/v1/rooms/${id}/messages`, {
      text: `message ${i}${i % 7 === 0 ? `\n${'and more of it '.repeat(12)}` : ''}`,
    });
    if (i === 38) await who.delete(`/v1/rooms/${id}/messages/${body.id}`, { reason: 'Was wrong.' });
  }
  const { items } = (await ada.get(`/v1/rooms/${id}/messages?limit=5`)).body;
  for (const { id: message, author } of items) {
    const reporter = author.id === ada.id ? grace : ada;
    await reporter.post(`/v1/rooms/${id}/messages/${message}/reports`, { reason: 'This is spam.' });
  }
  await ada.post(`/v1/rooms/${id}/invitations`, { role: 'guest' });
  await ada.post(`/v1/rooms/${id}/webhooks`, { url: 'https://hooks.example.org/verbatim', active: false });
  await ada.post(`/v1/rooms/${id}/incoming-webhooks`, { name: 'Build server' });
  await ada.put(`/v1/rooms/${id}/bans/${suspended.id}`, { reason: 'Was rude.' });
  await admin.post('/v1/invitations', { uses: 5 });
  await grace.post('/v1/rooms', { name: 'harbour', visibility: 'private' });
  await grace.put('/v1/direct/ada');
  const { id: closed } = (await ada.post('/v1/rooms', { name: 'old attic', visibility: 'hidden' })).body;
  await ada.post(`/v1/rooms/${closed}/close`, { reason: 'Moved.' });
  return { room: id, person: ada.id, bot: bot.id, suspended: suspended.id };
}
