// Ada and Bob talk in a room. Run beside a service, after `npm run build`:
//   node libs/protocol/client/examples/two-people.mjs http://127.0.0.1:3000 [further servers]
import { Client } from '@verbatim/client';

const servers = process.argv.slice(2);
const [ada, bob] = await Promise.all(['ada', 'bob'].map(arrive));

/** Registers somebody under a name that nobody has yet. */
async function arrive(name) {
  const client = new Client({ servers });
  await client.register({ username: `${name}-${Date.now()}`, password: 'correct horse battery' });
  return client;
}

const { id: room } = await ada.call('createRoom', { body: { name: `engine room ${Date.now()}` } });
await bob.call('addMember', { params: { id: room } });

// Bob answers whatever Ada says, until she says good night.
const listening = bob.follow(room, {
  after: -1,
  async onEvents(events) {
    for (const { type, actor, data } of events) {
      if (type !== 'MessagePosted' || actor.id === bob.user.id) continue;
      await bob.post(room, data.text === 'Good night' ? 'Sleep well' : `You said: ${data.text}`);
    }
  },
});

// Ada says three things, and reads along from the beginning until Bob has answered the last one.
for (const text of ['Good morning', 'It works', 'Good night']) await ada.post(room, text);
for await (const { revision, type, actor, data } of ada.follow(room, { after: -1 })) {
  console.log(revision, actor?.username.split('-')[0], type, data.text ?? '');
  if (data.text === 'Sleep well') break;
}

listening.close();
for (const client of [ada, bob]) {
  await client.signOut();
  client.close();
}
