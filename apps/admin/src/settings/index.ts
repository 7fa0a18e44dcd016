import SettingsIcon from '@mui/icons-material/SettingsOutlined';
import { lazyPage } from '../look/lazy-page';

/** The service's configuration and announcement: one page, which loads its own data. */
export const settings = {
  name: 'settings',
  icon: SettingsIcon,
  list: lazyPage(() => import('./settings-page')),
  source: undefined,
};
