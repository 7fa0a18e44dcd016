import PeopleIcon from '@mui/icons-material/PeopleAltOutlined';
import { Route } from 'react-router-dom';
import type { Source } from '../service/source';
import { ImportPage } from './import/import-page';
import { nameOf } from './name-of';
import { UserCreate } from './user-create';
import { UserEdit } from './user-edit';
import { UserList } from './user-list';
import { UserShow } from './user-show';
import { userSource } from './users-source';

export const users = {
  name: 'users',
  icon: PeopleIcon,
  list: UserList,
  show: UserShow,
  create: UserCreate,
  edit: UserEdit,
  recordRepresentation: nameOf,
  children: <Route path="import" element={<ImportPage />} />,
  source: userSource as unknown as Source,
};
