import { type HeapProfiler, type Profiler, Session } from 'node:inspector/promises';

/**
 * Loaded with `--import` into the service: on a message from the benchmark, it starts or ends a sampling profile, so
 * that a profile covers the load alone and not what came before it.
 */

/** What the benchmark asks for; each is answered by a `Reply`. */
export type Request = 'cpu' | 'end cpu' | 'heap' | 'end heap';

export interface Reply {
  readonly to: Request;
  readonly profile?: Profiler.Profile | HeapProfiler.SamplingHeapProfile;
}

/** Microseconds between two looks at the stack, and bytes between two allocations that are looked at, on average. */
const LOOK_EVERY_US = 200;
const ALLOCATION_EVERY_BYTES = 8_192;

const session = new Session();
session.connect();

const answers: Record<Request, () => Promise<Reply['profile']>> = {
  cpu: async () => {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: LOOK_EVERY_US });
    await session.post('Profiler.start');
    return undefined;
  },
  'end cpu': async () => (await session.post('Profiler.stop')).profile,
  heap: async () => {
    // What was collected again in the meantime is what is looked for, so it is counted too.
    await session.post('HeapProfiler.startSampling', {
      samplingInterval: ALLOCATION_EVERY_BYTES,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    } as HeapProfiler.StartSamplingParameterType);
    return undefined;
  },
  'end heap': async () => (await session.post('HeapProfiler.stopSampling')).profile,
};

process.on('message', (to: Request) => {
  void answers[to]().then((profile) => process.send?.({ to, profile } satisfies Reply));
});
process.channel?.unref();
