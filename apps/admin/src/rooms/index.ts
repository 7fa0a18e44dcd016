import RoomIcon from '@mui/icons-material/ForumOutlined';
import type { Source } from '../service/source';
import { nameOfRoom } from './name-of-room';
import { RoomCreate } from './room-create';
import { RoomList } from './room-list';
import { RoomShow } from './room-show';
import { roomSource } from './rooms-source';

export const rooms = {
  name: 'rooms',
  icon: RoomIcon,
  list: RoomList,
  show: RoomShow,
  create: RoomCreate,
  recordRepresentation: nameOfRoom,
  source: roomSource as unknown as Source,
};
