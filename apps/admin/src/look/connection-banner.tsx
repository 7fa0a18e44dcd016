import { Alert } from '@mui/material';
import { useTranslate } from 'react-admin';
import { useConnectionLost } from '../service/connection';

/** Shown while there is no connection. The page keeps its content and is updated afterwards. */
export function ConnectionBanner() {
  const translate = useTranslate();
  const lost = useConnectionLost();
  return (
    <div role="status">
      {lost && (
        <Alert severity="warning" variant="filled" sx={{ borderRadius: 0 }}>
          {translate('verbatim.page.no_connection')}
        </Alert>
      )}
    </div>
  );
}
