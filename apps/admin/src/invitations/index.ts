import InvitationIcon from '@mui/icons-material/ConfirmationNumberOutlined';
import { lazy } from 'react';
import type { Source } from '../service/source';
import { invitationSource } from './invitations-source';

export const invitations = {
  name: 'invitations',
  icon: InvitationIcon,
  list: lazy(() => import('./invitation-list')),
  source: invitationSource as unknown as Source,
};
