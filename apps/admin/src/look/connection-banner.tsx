import { Alert } from '@mui/material';
import { useTranslate } from 'react-admin';
import { useConnectionLost } from '../service/connection';

/** Tells that there is no connection, as long as there is none. What is shown stays, and is brought up to date afterwards. */
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
