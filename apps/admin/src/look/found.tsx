import { Box } from '@mui/material';
import type { ReactNode } from 'react';
import { useShowContext } from 'react-admin';
import { codeOf } from '../service/failure';
import { Failure } from './failure';
import { NotFound } from './not-found';

/** The page of one record, or that there is none; `missing` is the key of that sentence. */
export function Found({ missing, children }: { missing: string; children: ReactNode }) {
  const { record, error } = useShowContext();
  if (record) return children;
  if (codeOf(error) === 'not_found' || codeOf(error) === 'invalid_request') return <NotFound what={missing} />;
  return (
    <Box sx={{ p: 2 }}>
      <Failure error={error} />
    </Box>
  );
}
