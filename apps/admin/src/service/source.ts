import type { Client } from '@verbatim/client';
import type { RaRecord } from 'react-admin';
import type { ApiPage } from './pages';

/** The parameters of a list. */
export interface Question {
  readonly filter: Readonly<Record<string, string | undefined>>;
  readonly sort?: { readonly field: string; readonly order: 'asc' | 'desc' };
  readonly limit: number;
  readonly cursor?: string;
}

/** How one resource is read and written by API calls; absent ones are not supported. */
export interface Source<R extends RaRecord<string> = RaRecord<string>> {
  list(client: Client, question: Question): Promise<ApiPage<R>>;
  one?(client: Client, id: string): Promise<R>;
  /** At most 100 at a time, in any order; those that do not exist are left out. If absent, each is asked for by itself. */
  many?(client: Client, ids: readonly string[]): Promise<readonly R[]>;
  create?(client: Client, data: Partial<R>): Promise<R>;
  /** `data` contains only changed fields. */
  change?(client: Client, id: string, data: Partial<R>): Promise<R>;
  remove?(client: Client, id: string): Promise<void>;
}
