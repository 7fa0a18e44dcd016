import ProjectionsIcon from '@mui/icons-material/TableChartOutlined';
import { lazyPage } from '../look/lazy-page';

/** How far the read models are: one page, which asks for what it shows by itself. */
export const projections = {
  name: 'projections',
  icon: ProjectionsIcon,
  list: lazyPage(() => import('./projections-page')),
  source: undefined,
};
