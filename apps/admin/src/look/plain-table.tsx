import { Table, TableBody, TableCell, TableContainer, TableHead, TableRow, Typography } from '@mui/material';
import type { ReactNode } from 'react';

interface PlainTableProps {
  /** Description for screen readers. */
  readonly label: string;
  readonly columns: readonly string[];
  /** Shown where there is no row. */
  readonly empty: string;
  readonly children: readonly ReactNode[];
}

/** A table without paging or sorting. Wide tables scroll sideways, also by keyboard. */
export function PlainTable({ label, columns, empty, children }: PlainTableProps) {
  if (children.length === 0) return <Typography sx={{ py: 4, textAlign: 'center' }}>{empty}</Typography>;
  return (
    <TableContainer tabIndex={0} role="region" aria-label={label}>
      <Table size="small">
        <TableHead>
          <TableRow>
            {columns.map((column) => (
              <TableCell key={column}>{column}</TableCell>
            ))}
          </TableRow>
        </TableHead>
        <TableBody>{children}</TableBody>
      </Table>
    </TableContainer>
  );
}
