import RetentionIcon from '@mui/icons-material/EventBusyOutlined';
import { lazyPage } from '../look/lazy-page';

/** For how long texts are kept: one page, which asks for what it shows by itself. */
export const retention = {
  name: 'retention',
  icon: RetentionIcon,
  list: lazyPage(() => import('./retention-page')),
  source: undefined,
};
