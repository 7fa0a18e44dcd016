import InvitationIcon from '@mui/icons-material/ConfirmationNumberOutlined';
import { lazyPage } from '../look/lazy-page';
import type { Source } from '../service/source';
import { invitationSource } from './invitations-source';

export const invitations = {
  name: 'invitations',
  icon: InvitationIcon,
  list: lazyPage(() => import('./invitation-list')),
  source: invitationSource as unknown as Source,
};
