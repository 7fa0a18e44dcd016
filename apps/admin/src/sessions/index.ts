import SessionIcon from '@mui/icons-material/DevicesOutlined';
import { lazy } from 'react';
import type { Source } from '../service/source';
import { sessionSource } from './sessions-source';

/** Where everybody is signed in. */
export const sessions = {
  name: 'sessions',
  icon: SessionIcon,
  list: lazy(() => import('./session-list')),
  source: sessionSource as unknown as Source,
};
