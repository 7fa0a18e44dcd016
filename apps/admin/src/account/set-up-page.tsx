import { Button, Typography } from '@mui/material';
import { useLogout, useTranslate } from 'react-admin';
import { FrontPage } from '../look/front-page';
import { lazyPage } from '../look/lazy-page';

const SecondFactorSetUp = lazyPage(() => import('./second-factor-set-up'));

/** People whose role requires a second factor set it up here, then continue to the page they wanted. */
export function SetUpPage() {
  const translate = useTranslate();
  const logout = useLogout();
  return (
    <FrontPage title="verbatim.own.set_up_title" wide>
      <Typography color="textSecondary" sx={{ mt: 1, mb: 2 }}>
        {translate('verbatim.own.set_up_lead')}
      </Typography>
      {/* Requests that were refused so far are sent again. */}
      <SecondFactorSetUp onDone={() => location.reload()} />
      <Button onClick={() => void logout()} sx={{ mt: 2 }}>
        {translate('ra.auth.logout')}
      </Button>
    </FrontPage>
  );
}
