import type { EventStore, KeyRing, Sealer } from '@verbatim/event-store';
import { plainTexts, SealedTexts, type Texts } from '@verbatim/projections';
import type { Config } from '../config.js';
import { LogTexts } from './log-texts.js';

/** The vault key from which the keys of the read models are derived. */
const READ_MODELS_KEY = 'read-models';

/** How the read models store texts, according to READ_MODELS_TEXTS. */
export async function textsOf(
  { READ_MODELS_TEXTS }: Pick<Config, 'READ_MODELS_TEXTS'>,
  { keys, store, sealer }: { readonly keys: KeyRing; readonly store: EventStore; readonly sealer: Sealer },
): Promise<Texts> {
  if (READ_MODELS_TEXTS === 'plain') return plainTexts;
  const key = (await keys.obtain([READ_MODELS_KEY])).get(READ_MODELS_KEY);
  if (!key) throw new Error('The key of the read models is missing from the vault.');
  return new SealedTexts(key, new LogTexts(store, sealer));
}
