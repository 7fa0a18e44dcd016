import AuditIcon from '@mui/icons-material/FactCheckOutlined';
import { lazyPage } from '../look/lazy-page';
import type { Source } from '../service/source';
import { auditSource } from './audit-source';

/** What administrators and auditors did. */
export const audit = {
  name: 'audit',
  icon: AuditIcon,
  list: lazyPage(() => import('./audit-list')),
  source: auditSource as unknown as Source,
};
