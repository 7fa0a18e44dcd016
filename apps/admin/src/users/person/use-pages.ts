import { useInfiniteQuery } from '@tanstack/react-query';
import { shown } from '../../service/failure';
import { LOOK_AGAIN } from '../../service/look-again';
import type { ApiPage } from '../../service/pages';

/** A list of the API that loads further pages on demand, and refreshes automatically. */
export function usePages<T>(key: readonly string[], ask: (cursor: string | undefined) => Promise<ApiPage<T>>) {
  const { data, error, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => shown(ask(pageParam)),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ page }) => page.next ?? undefined,
    refetchInterval: LOOK_AGAIN,
  });
  return {
    /** Undefined until they are known. */
    items: data?.pages.flatMap(({ items }) => items),
    error,
    more: hasNextPage && !isFetchingNextPage ? () => void fetchNextPage() : null,
  };
}
