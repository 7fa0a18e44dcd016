import { VerbatimError } from '@verbatim/client';
import { useEffect } from 'react';
import { useLogoutIfAccessDenied } from 'react-admin';
import { endOfSession } from '../service/client';
import { failureOf } from '../service/failure';

const over = failureOf(new VerbatimError('unauthenticated', 'The session is over.'));

/** Leads to the sign-in page as soon as the session is over, also when that is only heard over the socket. */
export function SessionWatch() {
  const leaveIfOver = useLogoutIfAccessDenied();
  useEffect(() => endOfSession.onUnwanted(() => void leaveIfOver(over)), [leaveIfOver]);
  return null;
}
