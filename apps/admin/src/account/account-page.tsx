import { Box, Card, CardContent, Tab, Tabs, Typography } from '@mui/material';
import type { ComponentType } from 'react';
import { Link, Title, useTranslate } from 'react-admin';
import { useParams } from 'react-router-dom';
import { Appearance } from './appearance';
import { OwnPassword } from './own-password';
import { OwnProfile } from './own-profile';
import { OwnSessions } from './own-sessions';
import { OwnTokens } from './own-tokens';
import { SecondFactor } from './second-factor';

/** The parts of the page by the ends of their addresses, in their order. */
const parts: Readonly<Record<string, { readonly label: string; readonly Content: ComponentType }>> = {
  '': { label: 'verbatim.person.profile', Content: OwnProfile },
  password: { label: 'ra.auth.password', Content: OwnPassword },
  'second-factor': { label: 'resources.users.fields.secondFactor', Content: SecondFactor },
  sessions: { label: 'verbatim.person.sessions', Content: OwnSessions },
  tokens: { label: 'verbatim.person.tokens', Content: OwnTokens },
  appearance: { label: 'verbatim.own.appearance', Content: Appearance },
};

/** One's own account: who one is here, how one signs in, where one is signed in, and how the dashboard looks. */
export default function AccountPage() {
  const translate = useTranslate();
  const { '*': place = '' } = useParams();
  const here = place in parts ? place : '';
  const Content = parts[here]?.Content ?? OwnProfile;
  return (
    <Box sx={{ p: { xs: 1, sm: 2 } }}>
      <Title title="verbatim.own.title" />
      <Card>
        <Tabs value={here} variant="scrollable" scrollButtons="auto" aria-label={translate('verbatim.own.title')}>
          {Object.entries(parts).map(([path, { label }]) => (
            <Tab
              key={path}
              value={path}
              label={translate(label)}
              component={Link}
              to={path === '' ? '/account' : `/account/${path}`}
            />
          ))}
        </Tabs>
        <CardContent sx={{ maxWidth: 860 }}>
          <Typography variant="h2" sx={{ mb: 2 }}>
            {translate(parts[here]?.label ?? '')}
          </Typography>
          <Content key={here} />
        </CardContent>
      </Card>
    </Box>
  );
}
