import ProjectionsIcon from '@mui/icons-material/TableChartOutlined';
import { ProjectionsPage } from './projections-page';

/** How far the read models are: one page, which asks for what it shows by itself. */
export const projections = {
  name: 'projections',
  icon: ProjectionsIcon,
  list: ProjectionsPage,
  source: undefined,
};
