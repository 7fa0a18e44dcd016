import type { ReactNode } from 'react';

/** Keeps clicks from the surrounding row, which would open another page. */
export function OwnClicks({ children }: { children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only keeps clicks from the row
    // biome-ignore lint/a11y/useKeyWithClickEvents: as above
    <span onClick={(event) => event.stopPropagation()}>{children}</span>
  );
}
