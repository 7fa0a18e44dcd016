import HoldIcon from '@mui/icons-material/GavelOutlined';
import { lazyPage } from '../look/lazy-page';
import type { Source } from '../service/source';
import { holdSource } from './holds-source';

/** What must be kept for a court, whatever is to be forgotten. */
export const holds = {
  name: 'holds',
  icon: HoldIcon,
  list: lazyPage(() => import('./hold-list')),
  source: holdSource as unknown as Source,
};
