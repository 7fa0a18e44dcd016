import RoomIcon from '@mui/icons-material/ForumOutlined';
import { lazy } from 'react';
import type { Source } from '../service/source';
import { nameOfRoom } from './name-of-room';
import { roomSource } from './rooms-source';

export const rooms = {
  name: 'rooms',
  icon: RoomIcon,
  list: lazy(() => import('./room-list')),
  show: lazy(() => import('./room-show')),
  create: lazy(() => import('./room-create')),
  recordRepresentation: nameOfRoom,
  source: roomSource as unknown as Source,
};
