import PeopleIcon from '@mui/icons-material/PeopleAltOutlined';
import type { Source } from '../service/source';
import { nameOf } from './name-of';
import { UserEdit } from './user-edit';
import { UserList } from './user-list';
import { UserShow } from './user-show';
import { userSource } from './users-source';

export const users = {
  name: 'users',
  icon: PeopleIcon,
  list: UserList,
  show: UserShow,
  edit: UserEdit,
  recordRepresentation: nameOf,
  source: userSource as unknown as Source,
};
