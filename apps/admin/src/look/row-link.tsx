import type { ReactNode } from 'react';
import { Link } from 'react-admin';

/**
 * Leads from a row of a table to its page. It is a link like any other, which the theme spreads over the whole row: it has the
 * focus, is followed by Enter, and opens in another tab where that is wished.
 */
export function RowLink({ to, children }: { to: string; children: ReactNode }) {
  return (
    <Link to={to} className="row-link" sx={{ color: 'inherit', fontWeight: 600, textDecoration: 'none' }}>
      <bdi>{children}</bdi>
    </Link>
  );
}
