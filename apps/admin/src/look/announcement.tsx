import { Alert } from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import type { Announcement as Told } from '@verbatim/protocol';
import { client } from '../service/client';
import { LOOK_AGAIN } from '../service/look-again';

export const ABOUT = ['about'];

/** What administrators tell everybody now, or null. */
export function useAnnouncement(): Told | null {
  const { data } = useQuery({
    queryKey: ABOUT,
    queryFn: () => client.call('getAbout'),
    refetchInterval: LOOK_AGAIN,
  });
  return data?.announcement ?? null;
}

/** Stands on top of every page while something is announced. */
export function Announcement() {
  const told = useAnnouncement();
  if (!told) return null;
  return (
    <Alert severity="info" role="status" sx={{ m: 1, overflowWrap: 'anywhere' }}>
      {told.text}
    </Alert>
  );
}
