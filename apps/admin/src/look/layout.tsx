import AccountIcon from '@mui/icons-material/ManageAccountsOutlined';
import { ListItemIcon, ListItemText, MenuItem, type Theme, useMediaQuery } from '@mui/material';
import {
  AppBar,
  Layout,
  type LayoutProps,
  Link,
  LoadingIndicator,
  LocalesMenuButton,
  Logout,
  TitlePortal,
  ToggleThemeButton,
  UserMenu,
  useTranslate,
  useUserMenu,
} from 'react-admin';
import { SetUpPage } from '../account/set-up-page';
import { useNews } from '../service/look-again';
import { useMissingSecondFactor } from '../service/second-factor';
import { Proofs } from '../sign-in/proof-dialog';
import { SessionWatch } from '../sign-in/session-watch';
import { Announcement } from './announcement';
import { ConnectionBanner } from './connection-banner';
import { DocumentTitle } from './document-title';
import { useLanguageOfPage } from './language-of-page';

/** The frame around each page. People who must set up a second factor first see only that. */
export function DashboardLayout(props: LayoutProps) {
  useLanguageOfPage();
  return (
    <>
      <SessionWatch />
      <Proofs />
      {useMissingSecondFactor() ? <SetUpPage /> : <WholeLayout {...props} />}
    </>
  );
}

function WholeLayout({ children, ...props }: LayoutProps) {
  useNews();
  return (
    <Layout {...props} appBar={Bar}>
      <DocumentTitle />
      <ConnectionBanner />
      <Announcement />
      {children}
    </Layout>
  );
}

function Bar() {
  return (
    <AppBar color="secondary" toolbar={<Tools />} userMenu={<OwnMenu />}>
      <TitlePortal component="h1" />
    </AppBar>
  );
}

/** On a phone the title needs the space of the language menu; the account page offers languages too. */
function Tools() {
  const narrow = useMediaQuery((theme: Theme) => theme.breakpoints.down('sm'));
  return (
    <>
      {!narrow && <LocalesMenuButton />}
      {!narrow && <ToggleThemeButton />}
      <LoadingIndicator />
    </>
  );
}

function OwnMenu() {
  return (
    <UserMenu>
      <OwnAccount />
      <Logout />
    </UserMenu>
  );
}

function OwnAccount() {
  const translate = useTranslate();
  const menu = useUserMenu();
  return (
    <MenuItem component={Link} to="/account" onClick={() => menu?.onClose()}>
      <ListItemIcon>
        <AccountIcon fontSize="small" />
      </ListItemIcon>
      <ListItemText>{translate('verbatim.own.title')}</ListItemText>
    </MenuItem>
  );
}
