import type { ReactNode } from 'react';

/** Keeps what is clicked in here from the row around it, which would lead to another page. */
export function OwnClicks({ children }: { children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only keeps clicks from the row
    // biome-ignore lint/a11y/useKeyWithClickEvents: as above
    <span onClick={(event) => event.stopPropagation()}>{children}</span>
  );
}
