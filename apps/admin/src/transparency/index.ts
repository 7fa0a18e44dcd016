import LogIcon from '@mui/icons-material/AccountTreeOutlined';
import { lazyPage } from '../look/lazy-page';

/** The transparency log: one page, which loads its own data. */
export const transparency = {
  name: 'transparency',
  icon: LogIcon,
  list: lazyPage(() => import('./log-page')),
  source: undefined,
};
