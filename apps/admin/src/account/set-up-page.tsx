import { Button, Typography } from '@mui/material';
import { useLogout, useTranslate } from 'react-admin';
import { FrontPage } from '../look/front-page';
import { lazyPage } from '../look/lazy-page';

const SecondFactorSetUp = lazyPage(() => import('./second-factor-set-up'));

/** Where somebody whose role demands a second factor sets it up before anything else, and goes on to where they wanted to be. */
export function SetUpPage() {
  const translate = useTranslate();
  const logout = useLogout();
  return (
    <FrontPage title="verbatim.own.set_up_title" wide>
      <Typography color="textSecondary" sx={{ mt: 1, mb: 2 }}>
        {translate('verbatim.own.set_up_lead')}
      </Typography>
      {/* Whatever was refused so far is asked for anew. */}
      <SecondFactorSetUp onDone={() => location.reload()} />
      <Button onClick={() => void logout()} sx={{ mt: 2 }}>
        {translate('ra.auth.logout')}
      </Button>
    </FrontPage>
  );
}
