import ProjectionsIcon from '@mui/icons-material/TableChartOutlined';
import { lazyPage } from '../look/lazy-page';

/** Progress of the read models: one page, which loads its own data. */
export const projections = {
  name: 'projections',
  icon: ProjectionsIcon,
  list: lazyPage(() => import('./projections-page')),
  source: undefined,
};
