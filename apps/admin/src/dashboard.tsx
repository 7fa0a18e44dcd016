import { Admin, CustomRoutes, localStorageStore, Resource } from 'react-admin';
import { createHashRouter, Route, RouterProvider } from 'react-router-dom';
import { DashboardLayout } from './look/layout';
import { lazyPage } from './look/lazy-page';
import { NotFound } from './look/not-found';
import { darkTheme, lightTheme } from './look/theme';
import { resources, sources } from './resources';
import { accountStore } from './service/account-store';
import { authProvider } from './service/auth-provider';
import { client, endOfSession } from './service/client';
import { dataProvider } from './service/data-provider';
import { keepSession } from './service/kept-session';
import { queryClient } from './service/queries';
import { missingSecondFactor } from './service/second-factor';
import { SignInPage } from './sign-in/sign-in-page';
import { endSignOn } from './sign-in/single-sign-on';
import { i18nProvider } from './words/i18n';

const Home = lazyPage(() => import('./home/home'));
const AccountPage = lazyPage(() => import('./account/account-page'));
const ResetPage = lazyPage(() => import('./reset/reset-page'));

const data = dataProvider(client, sources);
const auth = authProvider(client, endOfSession);
const store = accountStore(localStorageStore('1', 'verbatim'), client);

/** The dashboard, once it is known whether the person is signed in. */
export async function begin() {
  keepSession(client);
  await endSignOn(auth);
  if (client.user) await missingSecondFactor.check(client);
  // A router of our own, since what is signed out is led to the sign-in page at once: as a transition, which is how React
  // Router navigates by default, that would come after the store of react-admin is emptied, which leads there once more,
  // for many seconds.
  const router = createHashRouter([{ path: '*', element: <Pages /> }]);
  return function Dashboard() {
    return <RouterProvider router={router} useTransitions={false} />;
  };
}

function Pages() {
  return (
    <Admin
      title="Verbatim"
      dataProvider={data}
      authProvider={auth}
      i18nProvider={i18nProvider}
      store={store}
      queryClient={queryClient}
      theme={lightTheme}
      darkTheme={darkTheme}
      layout={DashboardLayout}
      loginPage={SignInPage}
      dashboard={Home}
      catchAll={NotFound}
      requireAuth
      disableTelemetry
    >
      {resources.map(({ source: _, ...resource }) => (
        <Resource key={resource.name} {...resource} />
      ))}
      <CustomRoutes>
        <Route path="/account/*" element={<AccountPage />} />
      </CustomRoutes>
      <CustomRoutes noLayout>
        <Route path="/reset" element={<ResetPage />} />
      </CustomRoutes>
    </Admin>
  );
}
