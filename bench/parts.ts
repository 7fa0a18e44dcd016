import type { HeapProfiler, Profiler, Runtime } from 'node:inspector';

/** A part of what a post costs. Its files are known by their paths, its statements by what they say. */
export interface Part {
  readonly name: string;
  /** Code belongs to the first part that one of its paths matches. */
  readonly files?: RegExp;
  readonly statements?: RegExp;
}

/**
 * The parts, in the order in which a post passes them. A library counts as the part that calls it, except those listed here;
 * of the cost of a call, the innermost frame that belongs to a part decides.
 */
export const parts: readonly Part[] = [
  {
    name: 'receive frames',
    files:
      /node_modules\/ws\/|websocket\/(frame-text|gateway|connection|socket-adapter)|(host|websocket)\/(frame-scanner|intake)/,
  },
  { name: 'check frames', files: /node_modules\/zod\/|libs\/protocol\// },
  { name: 'limits', files: /api\/dist\/limits\// },
  { name: 'use case', files: /api\/dist\/application\/|@nestjs\/|frame-handlers|node_modules\/rxjs/ },
  { name: 'search words', files: /domain\/dist\/(words|search)|projections\/dist\/search/ },
  { name: 'decide', files: /api\/dist\/write-side\/|libs\/domain\// },
  {
    name: 'seal and hash',
    files: /event-store\/dist\/(envelope|sealer|canonical-json|random-bytes|key-ring|slice|upcast)/,
  },
  {
    name: 'append',
    files: /event-store\/dist\/postgres\/(group-commit|postgres-event-store)/,
    statements: /log\.append/i,
  },
  { name: 'database client', files: /node_modules\/postgres\/|event-store\/dist\/postgres\// },
  {
    name: 'feed',
    files: /api\/dist\/feed\/|event-store\/dist\/(catch-up|subscriptions)|projections\/dist\/event-buffer/,
  },
  { name: 'follow and encode', files: /api\/dist\/live\/|doors\/websocket\/json-encoder/ },
  { name: 'write to sockets', files: /api\/dist\/host\// },
  { name: 'search', statements: /"?read_\d+"?\.search\b/i },
  { name: 'read models', files: /libs\/projections\//, statements: /"?read_\d+"?\./i },
  {
    name: 'audit log',
    files: /libs\/transparency\/|units\/transparency\/|storage\/transparency/,
    statements: /log_tree|transparency/i,
  },
  { name: 'metrics and presence', files: /api\/dist\/units\// },
];

/** Where what belongs to no part goes, and what V8 counts as a function of its own. */
export const OTHER = 'other';
export const COLLECTING = 'garbage collection';

type Frames = ReadonlyMap<number, { frame: Runtime.CallFrame; parent: number | undefined }>;

/** Microseconds of each part in a CPU profile. Waiting is left out. */
export function microsecondsOf(profile: Profiler.Profile): Map<string, number> {
  const frames: Map<number, { frame: Runtime.CallFrame; parent: number | undefined }> = new Map(
    profile.nodes.map(({ id, callFrame }) => [id, { frame: callFrame, parent: undefined }]),
  );
  for (const { id, children = [] } of profile.nodes)
    for (const child of children) {
      const node = frames.get(child);
      if (node) node.parent = id;
    }
  const sums = new Map<string, number>();
  const known = new Map<number, string | null>();
  for (const [i, id] of (profile.samples ?? []).entries()) {
    if (!known.has(id)) known.set(id, partOf(id, frames));
    const part = known.get(id);
    // A look covers the time until the next one.
    if (part) add(sums, part, profile.timeDeltas?.[i + 1] ?? 0);
  }
  return sums;
}

/** Bytes allocated by each part. */
export function bytesOf(profile: HeapProfiler.SamplingHeapProfile): Map<string, number> {
  const sums = new Map<string, number>();
  const walk = (node: HeapProfiler.SamplingHeapProfileNode, above: string) => {
    const part = partOfFile(node.callFrame.url) ?? above;
    add(sums, part, node.selfSize);
    for (const child of node.children) walk(child, part);
  };
  walk(profile.head, OTHER);
  return sums;
}

export const partOfStatement = (statement: string): string =>
  parts.find(({ statements }) => statements?.test(statement))?.name ?? OTHER;

function partOf(id: number, frames: Frames): string | null {
  const name = frames.get(id)?.frame.functionName;
  if (name === '(idle)' || name === '(root)') return null;
  if (name === '(garbage collector)') return COLLECTING;
  for (let at: number | undefined = id; at !== undefined; at = frames.get(at)?.parent) {
    const { url = '' } = frames.get(at)?.frame ?? {};
    if (url.endsWith('/bench/dist/profiling.js')) return null;
    const part = partOfFile(url);
    if (part) return part;
  }
  return OTHER;
}

const partOfFile = (url: string): string | undefined =>
  url.startsWith('file:') ? parts.find(({ files }) => files?.test(url))?.name : undefined;

function add(sums: Map<string, number>, key: string, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}
