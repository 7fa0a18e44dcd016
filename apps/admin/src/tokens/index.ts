import TokenIcon from '@mui/icons-material/VpnKeyOutlined';
import { lazyPage } from '../look/lazy-page';
import type { Source } from '../service/source';
import { tokenSource } from './tokens-source';

/** The tokens of people and bots, with which programs act here. */
export const tokens = {
  name: 'tokens',
  icon: TokenIcon,
  list: lazyPage(() => import('./token-list')),
  source: tokenSource as unknown as Source,
};
