import { useEffect } from 'react';
import { AppBar, Layout, type LayoutProps, TitlePortal, useLocaleState } from 'react-admin';
import { SessionWatch } from '../sign-in/session-watch';

export function DashboardLayout(props: LayoutProps) {
  useLanguageOfPage();
  return (
    <>
      <SessionWatch />
      <Layout {...props} appBar={Bar} />
    </>
  );
}

function Bar() {
  return (
    <AppBar color="secondary">
      <TitlePortal component="h1" />
    </AppBar>
  );
}

/** Screen readers choose their voice by it. */
export function useLanguageOfPage() {
  const [locale] = useLocaleState();
  useEffect(() => {
    document.documentElement.lang = locale;
  }, [locale]);
}
