import { once } from 'node:events';
import { startNode } from '../processes.js';
import type { Section } from '../table.js';
import { Verbatim } from '../verbatim.js';
import { inTurn, type Talk, talks } from './rooms.js';

/**
 * What it costs the service to have its log in KurrentDB: the ratio of its own CPU per post is what to look at. People
 * pause between posts, so that both get about as many in a second: some of the CPU is spent by the second, and what is done
 * for many posts at once is cheaper, so whichever is quicker would look cheaper as well.
 */
export const eventStores = async (): Promise<Section[]> => [
  await compare({ ...talks.a, title: `${talks.a.title} every 0.1 s`, pause: 100 }),
  await compare({ ...talks.c, title: `${talks.c.title} every 0.3 s`, pause: 300 }),
];

async function compare(talk: Talk): Promise<Section> {
  const standIn = startNode(new URL('../stand-in.js', import.meta.url), process.env);
  const [{ url }] = (await once(standIn.child, 'message')) as [{ url: string }];
  const postgres = await Verbatim.start();
  const kurrentdb = await Verbatim.start({ eventStoreUrl: url });
  const rows = await inTurn(talk, kurrentdb, postgres);
  await kurrentdb.stop();
  await postgres.stop();
  await standIn.end();
  return {
    title: `${talk.title}; the log in KurrentDB's stand-in`,
    floor: 'the same with the log in PostgreSQL',
    rows,
    notes: ['Neither "database" is that of the log in KurrentDB: the CPU of the stand-in is not counted.'],
  };
}
