import SettingsIcon from '@mui/icons-material/SettingsOutlined';
import { lazyPage } from '../look/lazy-page';

/** How the service is set up, and what is announced: one page, which asks for what it shows by itself. */
export const settings = {
  name: 'settings',
  icon: SettingsIcon,
  list: lazyPage(() => import('./settings-page')),
  source: undefined,
};
