import type { AnswerOf } from '@verbatim/protocol';
import { useSyncExternalStore } from 'react';
import { apiUrl } from '../service/client';
import { readFigures, type Sample } from './figures';

/** Milliseconds between two looks, for an answer, and how many looks are kept: ten minutes. */
const PAUSE = 2_000;
const PATIENCE = 5_000;
const MOST = 300;

export type About = AnswerOf<'getAbout'>;

interface Seen {
  readonly samples: readonly Sample[];
  readonly about: About | null;
}

/** Looks at the service as long as somebody looks at it, and remembers what was seen when the page is left. */
let seen: Seen = { samples: [], about: null };
const watchers = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;

export const useSamples = (): Seen => useSyncExternalStore(watch, () => seen);

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  if (watchers.size === 1) void lookOn();
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0) clearTimeout(timer);
  };
}

async function lookOn(): Promise<void> {
  clearTimeout(timer);
  const [sample, about] = await Promise.all([
    look(),
    seen.about ??
      ask('/v1/about')
        .then(json<About>)
        .catch(() => null),
  ]);
  seen = { samples: [...seen.samples, sample].slice(-MOST), about };
  for (const watcher of watchers) watcher();
  if (watchers.size > 0) timer = setTimeout(lookOn, PAUSE);
}

async function look(): Promise<Sample> {
  const [health, metrics] = await Promise.allSettled([
    ask('/health/ready'),
    ask('/metrics').then((answer) => answer.text()),
  ]);
  const figures = metrics.status === 'fulfilled' ? readFigures(metrics.value) : {};
  if (health.status === 'rejected') return { at: Date.now(), ready: 'out of reach', detail: null, figures };
  const detail = health.value.ok
    ? null
    : await json<{ detail?: string }>(health.value).then(
        ({ detail }) => detail ?? null,
        () => null,
      );
  return { at: Date.now(), ready: health.value.ok ? 'ready' : 'not ready', detail, figures };
}

const ask = (path: string): Promise<Response> =>
  fetch(`${apiUrl}${path}`, { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) });

const json = <T>(answer: Response): Promise<T> => answer.json() as Promise<T>;
