import ExportIcon from '@mui/icons-material/Inventory2Outlined';
import { lazyPage } from '../look/lazy-page';
import type { Source } from '../service/source';
import { exportSource } from './exports-source';

/** Copies of parts of the log, to be checked by others. */
export const exports = {
  name: 'exports',
  icon: ExportIcon,
  list: lazyPage(() => import('./export-list')),
  show: lazyPage(() => import('./export-show')),
  create: lazyPage(() => import('./export-create')),
  source: exportSource as unknown as Source,
};
