import ErasureIcon from '@mui/icons-material/AutoDeleteOutlined';
import { lazyPage } from '../look/lazy-page';
import type { Source } from '../service/source';
import { erasureSource } from './erasures-source';

/** What is to be forgotten for good, and what was. */
export const erasures = {
  name: 'erasures',
  icon: ErasureIcon,
  list: lazyPage(() => import('./erasure-list')),
  show: lazyPage(() => import('./erasure-show')),
  source: erasureSource as unknown as Source,
};
