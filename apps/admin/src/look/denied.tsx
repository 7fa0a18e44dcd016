import { Alert } from '@mui/material';
import { Title, useTranslate } from 'react-admin';

/** In the place of a page that changes something, for those who change nothing. */
export function Denied() {
  const translate = useTranslate();
  return (
    <>
      <Title title="verbatim.page.hidden" />
      <Alert severity="info" sx={{ m: 2 }}>
        {translate('verbatim.page.denied')}
      </Alert>
    </>
  );
}
