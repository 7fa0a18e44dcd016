import { Alert } from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import type { Maintenance, Announcement as Told } from '@verbatim/protocol';
import { useTranslate } from 'react-admin';
import { client } from '../service/client';
import { shown } from '../service/failure';
import { LOOK_AGAIN } from '../service/look-again';
import { Moment } from './moment';

export const ABOUT = ['about'];

/** What the service reports about itself; undefined until loaded. */
export const useAbout = () =>
  useQuery({ queryKey: ABOUT, queryFn: () => shown(client.call('getAbout')), refetchInterval: LOOK_AGAIN }).data;

/** The current announcement, or null. */
export const useAnnouncement = (): Told | null => useAbout()?.announcement ?? null;

/** The current maintenance, or null. */
export const useMaintenance = (): Maintenance | null => useAbout()?.maintenance ?? null;

/** Shown at the top of every page during an announcement or maintenance. */
export function Announcement() {
  const announcement = useAnnouncement();
  const maintenance = useMaintenance();
  return (
    <>
      {maintenance && (
        <Alert severity="warning" role="status" sx={{ m: 1, overflowWrap: 'anywhere' }}>
          <Maintained maintenance={maintenance} />
        </Alert>
      )}
      {announcement && (
        <Alert severity="info" role="status" sx={{ m: 1, overflowWrap: 'anywhere' }}>
          {announcement.text}
        </Alert>
      )}
    </>
  );
}

function Maintained({ maintenance: { text, since, until } }: { maintenance: Maintenance }) {
  const translate = useTranslate();
  return (
    <>
      {translate('verbatim.maintenance.since')} <Moment at={since} />
      {until && (
        <>
          , {translate('verbatim.maintenance.expected_until')} <Moment at={until} />
        </>
      )}
      {text === null ? '.' : `: ${text}`}
    </>
  );
}
