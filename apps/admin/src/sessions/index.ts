import SessionIcon from '@mui/icons-material/DevicesOutlined';
import { lazyPage } from '../look/lazy-page';
import type { Source } from '../service/source';
import { sessionSource } from './sessions-source';

/** All sessions. */
export const sessions = {
  name: 'sessions',
  icon: SessionIcon,
  list: lazyPage(() => import('./session-list')),
  source: sessionSource as unknown as Source,
};
