import RoomIcon from '@mui/icons-material/ForumOutlined';
import { lazyPage } from '../look/lazy-page';
import type { Source } from '../service/source';
import { nameOfRoom } from './name-of-room';
import { roomSource } from './rooms-source';

export const rooms = {
  name: 'rooms',
  icon: RoomIcon,
  list: lazyPage(() => import('./room-list')),
  show: lazyPage(() => import('./room-show')),
  create: lazyPage(() => import('./room-create')),
  recordRepresentation: nameOfRoom,
  source: roomSource as unknown as Source,
};
