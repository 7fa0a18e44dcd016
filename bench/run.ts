import { cpus } from 'node:os';
import { options } from './options.js';
import { endAll } from './processes.js';
import { print, type Section } from './table.js';
import { coldStart } from './workloads/cold-start.js';
import { idleConnections } from './workloads/connections.js';
import { durablePosts } from './workloads/durability.js';
import { eventStores } from './workloads/event-stores.js';
import { expensiveReads } from './workloads/expensive-reads.js';
import { longRooms } from './workloads/long-rooms.js';
import { memoryUnderLoad } from './workloads/memory.js';
import { mqttSubscribers } from './workloads/mqtt.js';
import { rebuiltReadModels } from './workloads/rebuild.js';
import { largeRooms, pairs, replicas, smallRooms } from './workloads/rooms.js';
import { sealedTexts } from './workloads/sealed-texts.js';
import { telemetry } from './workloads/telemetry.js';

/** `npm run bench`: runs the workloads one after the other and prints one table, each figure beside its floor. */

/** In the order in which they run: g leaves the read models that h and f need, and i takes longest. */
const workloads: Readonly<Record<string, () => Promise<readonly Section[]>>> = {
  a: smallRooms,
  b: largeRooms,
  c: pairs,
  c2: replicas,
  k: eventStores,
  d: durablePosts,
  e: idleConnections,
  r: expensiveReads,
  o: telemetry,
  t: sealedTexts,
  g: rebuiltReadModels,
  h: coldStart,
  f: longRooms,
  m: mqttSubscribers,
  i: memoryUnderLoad,
};

async function main(): Promise<void> {
  const unknown = options.only.filter((letter) => !workloads[letter]);
  if (unknown.length > 0) throw new Error(`There is no workload ${unknown}; there are ${Object.keys(workloads)}.`);
  const letters = Object.keys(workloads).filter((letter) => options.only.length === 0 || options.only.includes(letter));
  const sections: Section[] = [];
  try {
    for (const letter of letters) {
      const begun = performance.now();
      for (const section of (await workloads[letter]?.()) ?? [])
        sections.push({ ...section, title: `${letter}  ${section.title}` });
      console.error(`${letter} took ${((performance.now() - begun) / 1_000).toFixed(0)} s`);
    }
  } finally {
    await endAll();
    print(sections);
    console.log(`${cpus().length} cores, load included; median of ${options.rounds} rounds of ${options.seconds} s`);
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void endAll().finally(() => process.exit(1)));
await main();
