import ReportIcon from '@mui/icons-material/FlagOutlined';
import { lazy } from 'react';
import type { Source } from '../service/source';
import { reportSource } from './reports-source';

export const reports = {
  name: 'reports',
  icon: ReportIcon,
  list: lazy(() => import('./report-list')),
  source: reportSource as unknown as Source,
};
