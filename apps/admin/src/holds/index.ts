import HoldIcon from '@mui/icons-material/GavelOutlined';
import { lazyPage } from '../look/lazy-page';
import type { Source } from '../service/source';
import { holdSource } from './holds-source';

/** Legal holds: data that must be kept despite erasures. */
export const holds = {
  name: 'holds',
  icon: HoldIcon,
  list: lazyPage(() => import('./hold-list')),
  source: holdSource as unknown as Source,
};
