import SettingsIcon from '@mui/icons-material/SettingsOutlined';
import { SettingsPage } from './settings-page';

/** How the service is set up, and what is announced: one page, which asks for what it shows by itself. */
export const settings = {
  name: 'settings',
  icon: SettingsIcon,
  list: SettingsPage,
  source: undefined,
};
