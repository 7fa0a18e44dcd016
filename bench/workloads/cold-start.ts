import { rebuiltBigLog } from '../big-log.js';
import { startDatabase } from '../lone-database.js';
import { options } from '../options.js';
import { type Figures, mediansOf, type Section } from '../table.js';
import { newFolder, startService } from '../verbatim.js';

/** From starting the process to its being ready, after a normal stop. */
export async function coldStart(): Promise<Section[]> {
  const big = await rebuiltBigLog();
  const empty = await newFolder();
  const folders = { 'empty log, ms': empty, [`${big.events} events, read models up to date, ms`]: big.folder };
  // The first start in a folder makes the database, and the first on a log may have something to catch up with.
  for (const folder of Object.values(folders)) await serviceStart(folder);

  const figures: { verbatim: Figures[]; floor: Figures[] } = { verbatim: [], floor: [] };
  for (let round = 0; round < options.rounds; round++) {
    figures.floor.push(await ofAll(folders, databaseStart));
    figures.verbatim.push(await ofAll(folders, serviceStart));
  }
  return [
    {
      title: 'from starting the process to its being ready',
      floor: 'starting the same PostgreSQL in the same folder, without the service',
      rows: mediansOf(figures.verbatim, figures.floor),
    },
  ];
}

async function ofAll(
  folders: Readonly<Record<string, string>>,
  start: (folder: string) => Promise<number>,
): Promise<Figures> {
  const figures: Record<string, number> = {};
  for (const [figure, folder] of Object.entries(folders)) figures[figure] = await start(folder);
  return figures;
}

/** Milliseconds. */
async function serviceStart(folder: string): Promise<number> {
  const begun = performance.now();
  const { node } = await startService(folder);
  const took = performance.now() - begun;
  await node.end();
  return took;
}

async function databaseStart(folder: string): Promise<number> {
  const begun = performance.now();
  const { stop } = await startDatabase(folder);
  const took = performance.now() - begun;
  await stop();
  return took;
}
