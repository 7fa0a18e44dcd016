import PeopleIcon from '@mui/icons-material/PeopleAltOutlined';
import { lazy, Suspense } from 'react';
import { Route } from 'react-router-dom';
import type { Source } from '../service/source';
import { nameOf } from './name-of';
import { UserCreate } from './user-create';
import { UserEdit } from './user-edit';
import { UserList } from './user-list';
import { UserShow } from './user-show';
import { userSource } from './users-source';

/** Loaded by the few who import people. */
const ImportPage = lazy(() => import('./import/import-page'));

const importPage = (
  <Suspense fallback={null}>
    <ImportPage />
  </Suspense>
);

export const users = {
  name: 'users',
  icon: PeopleIcon,
  list: UserList,
  show: UserShow,
  create: UserCreate,
  edit: UserEdit,
  recordRepresentation: nameOf,
  children: <Route path="import" element={importPage} />,
  source: userSource as unknown as Source,
};
