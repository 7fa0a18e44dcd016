import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { options } from '../options.js';
import { type Figures, mediansOf, type Section } from '../table.js';
import { Verbatim } from '../verbatim.js';
import { measure } from './rooms.js';

/** As in c: both people of a room post, and both follow it. */
const load = { rooms: 100, people: 2, posters: 2, inFlight: 1 } as const;

/** Seconds after which both are compiled and have grown: the first thousands of posts cost a multiple. */
const WARM_UP = 15;

/** Posts with traces and metrics on, beside a service that has them off; first of every post, then of one in a hundred. */
export async function telemetry(): Promise<Section[]> {
  const sections: Section[] = [];
  const off = await Verbatim.start();
  const offRooms = await off.gather(load);
  await measure(load, off, offRooms, WARM_UP);
  for (const [title, sampling] of [
    ['every post is traced', {}],
    ['one post in a hundred is traced', { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.01' }],
  ] as const) {
    const collector = await startCollector();
    const on = await Verbatim.start({ environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...sampling } });
    const onRooms = await on.gather(load);
    await measure(load, on, onRooms, WARM_UP);
    const figures: { on: Figures[]; off: Figures[] } = { on: [], off: [] };
    for (let round = 0; round < options.rounds; round++) {
      figures.on.push(await measure(load, on, onRooms, options.seconds));
      figures.off.push(await measure(load, off, offRooms, options.seconds));
    }
    await on.stop();
    collector.stop();
    sections.push({
      title: `telemetry: ${load.rooms} rooms of 2, ${title}`,
      floor: 'the same with telemetry off',
      rows: mediansOf(figures.on, figures.off),
      notes: [`the collector got ${(collector.bytes() / 2 ** 20).toFixed(1)} MiB`],
    });
  }
  await off.stop();
  return sections;
}

/** Takes what it is sent and looks at none of it; its CPU is that of the load. */
async function startCollector() {
  let bytes = 0;
  const server = createServer((request, response) => {
    request.on('data', (part: Buffer) => {
      bytes += part.length;
    });
    request.on('end', () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bytes: () => bytes, stop };
}
