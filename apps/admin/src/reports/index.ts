import ReportIcon from '@mui/icons-material/FlagOutlined';
import { lazyPage } from '../look/lazy-page';
import type { Source } from '../service/source';
import { reportSource } from './reports-source';

export const reports = {
  name: 'reports',
  icon: ReportIcon,
  list: lazyPage(() => import('./report-list')),
  source: reportSource as unknown as Source,
};
