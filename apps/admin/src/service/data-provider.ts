import type { Client } from '@verbatim/client';
import type { DataProvider, RaRecord } from 'react-admin';
import { failureOf } from './failure';
import { Pages } from './pages';
import type { Source } from './source';

/** Items that one call answers at most. */
const MOST = 200;
/** Records that are found by their ids in one call. */
const TOGETHER = 100;

/**
 * Maps react-admin's queries to the API. Each resource provides a source; this adds the common parts: pages by
 * number, changed fields only, errors as react-admin shows them. Repeating harmlessly (Idempotency-Key) and seeing one's
 * own writes (Verbatim-Position) is handled by the client for every call.
 */
export function dataProvider(client: Client, sources: Readonly<Record<string, Source>>): DataProvider {
  const pages = new Pages();

  const sourceOf = (resource: string): Source => {
    const source = sources[resource];
    if (!source) throw new Error(`There is no resource ${resource}.`);
    return source;
  };
  const can = <K extends keyof Source>(resource: string, what: K): NonNullable<Source[K]> => {
    const found = sourceOf(resource)[what];
    if (!found) throw new Error(`The resource ${resource} cannot ${what}.`);
    return found;
  };
  const one = (resource: string, id: string) => can(resource, 'one')(client, id);
  const many = async (resource: string, ids: readonly string[]): Promise<readonly RaRecord<string>[]> => {
    const source = sourceOf(resource);
    if (!source.many) return Promise.all(ids.map((id) => one(resource, id)));
    const parts = [];
    for (let i = 0; i < ids.length; i += TOGETHER) parts.push(source.many(client, ids.slice(i, i + TOGETHER)));
    return (await Promise.all(parts)).flat();
  };
  const change = (resource: string, id: string, data: object, before: object = {}) =>
    can(resource, 'change')(client, id, changed(data, before));

  const provider: DataProvider = {
    async getList(resource, { filter = {}, pagination = { page: 1, perPage: 25 }, sort }) {
      const limit = Math.min(pagination.perPage, MOST);
      const order = sort && { field: sort.field, order: sort.order === 'DESC' ? ('desc' as const) : ('asc' as const) };
      const list = JSON.stringify([resource, filter, order, limit]);
      const { items, hasNextPage, hasPreviousPage } = await pages.page(list, pagination.page, limit, (part) =>
        sourceOf(resource).list(client, { filter, ...part, ...(order && { sort: order }) }),
      );
      // On the last page it is known how many there are.
      const total = hasNextPage ? undefined : (pagination.page - 1) * limit + items.length;
      return { data: [...items] as never[], total, pageInfo: { hasNextPage, hasPreviousPage } };
    },
    async getOne(resource, { id }) {
      return { data: (await one(resource, `${id}`)) as never };
    },
    async getMany(resource, { ids }) {
      return { data: (await many(resource, ids.map(String))) as never[] };
    },
    getManyReference(resource, { target, id, filter, ...question }) {
      return provider.getList(resource, { ...question, filter: { ...filter, [target]: id } });
    },
    async create(resource, { data }) {
      return { data: (await can(resource, 'create')(client, data as Partial<RaRecord<string>>)) as never };
    },
    async update(resource, { id, data, previousData }) {
      return { data: (await change(resource, `${id}`, data, previousData)) as never };
    },
    async updateMany(resource, { ids, data }) {
      await Promise.all(ids.map((id) => change(resource, `${id}`, data)));
      return { data: ids };
    },
    async delete(resource, { id, previousData }) {
      await can(resource, 'remove')(client, `${id}`);
      return { data: (previousData ?? { id }) as never };
    },
    async deleteMany(resource, { ids }) {
      await Promise.all(ids.map((id) => can(resource, 'remove')(client, `${id}`)));
      return { data: ids };
    },
  };
  return telling(provider);
}

/** The changed fields of `data`. */
function changed(data: object, before: object): Partial<RaRecord<string>> {
  const old = before as Record<string, unknown>;
  return Object.fromEntries(Object.entries(data).filter(([field, value]) => value !== old[field]));
}

/** The same provider, with failures that react-admin can show. */
function telling(provider: DataProvider): DataProvider {
  const methods = Object.entries(provider).map(([name, method]) => [
    name,
    async (...args: unknown[]) => {
      try {
        return await method(...args);
      } catch (error) {
        throw failureOf(error);
      }
    },
  ]);
  return Object.fromEntries(methods) as DataProvider;
}
