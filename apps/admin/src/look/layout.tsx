import { type Theme, useMediaQuery } from '@mui/material';
import { useEffect } from 'react';
import {
  AppBar,
  Layout,
  type LayoutProps,
  LoadingIndicator,
  LocalesMenuButton,
  TitlePortal,
  ToggleThemeButton,
  useLocaleState,
} from 'react-admin';
import { useNews } from '../service/look-again';
import { Proofs } from '../sign-in/proof-dialog';
import { SessionWatch } from '../sign-in/session-watch';
import { Announcement } from './announcement';

export function DashboardLayout({ children, ...props }: LayoutProps) {
  useLanguageOfPage();
  useNews();
  return (
    <>
      <SessionWatch />
      <Proofs />
      <Layout {...props} appBar={Bar}>
        <Announcement />
        {children}
      </Layout>
    </>
  );
}

function Bar() {
  return (
    <AppBar color="secondary" toolbar={<Tools />}>
      <TitlePortal component="h1" />
    </AppBar>
  );
}

/** On a phone the title needs the place of the languages, which the sign-in page offers too. */
function Tools() {
  const narrow = useMediaQuery((theme: Theme) => theme.breakpoints.down('sm'));
  return (
    <>
      {!narrow && <LocalesMenuButton />}
      <ToggleThemeButton />
      <LoadingIndicator />
    </>
  );
}

/** Screen readers choose their voice by it. */
export function useLanguageOfPage() {
  const [locale] = useLocaleState();
  useEffect(() => {
    document.documentElement.lang = locale;
  }, [locale]);
}
