import PeopleIcon from '@mui/icons-material/PeopleAltOutlined';
import { Route } from 'react-router-dom';
import { lazyPage } from '../look/lazy-page';
import type { Source } from '../service/source';
import { nameOf } from './name-of';
import { userSource } from './users-source';

const ImportPage = lazyPage(() => import('./import/import-page'));

export const users = {
  name: 'users',
  icon: PeopleIcon,
  list: lazyPage(() => import('./user-list')),
  show: lazyPage(() => import('./user-show')),
  create: lazyPage(() => import('./user-create')),
  edit: lazyPage(() => import('./user-edit')),
  recordRepresentation: nameOf,
  children: <Route path="import" element={<ImportPage />} />,
  source: userSource as unknown as Source,
};
