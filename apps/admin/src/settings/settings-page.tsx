import { Box, Card, CardContent, Table, TableBody, TableCell, TableRow, Typography } from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import type { Settings } from '@verbatim/protocol';
import type { ReactNode } from 'react';
import { Title, useTranslate } from 'react-admin';
import { Failure } from '../look/failure';
import { client } from '../service/client';
import { shown } from '../service/failure';
import { AnnouncementForm } from './announcement-form';
import { MaintenanceForm } from './maintenance-form';

/** The configuration of the service, the announcement, and maintenance. */
export default function SettingsPage() {
  const translate = useTranslate();
  const { data, error } = useQuery({
    queryKey: ['settings'],
    queryFn: () => shown(client.call('getSettings')),
  });
  return (
    <Box sx={{ p: { xs: 1, sm: 2 }, display: 'grid', gap: 2 }}>
      <Title title="resources.settings.name" />
      <AnnouncementForm />
      <MaintenanceForm />
      <Typography color="textSecondary">{translate('verbatim.settings.lead')}</Typography>
      <Failure error={error} />
      {data && <Shown settings={data} />}
    </Box>
  );
}

function Shown({ settings }: { settings: Settings }) {
  const { registration, singleSignOn, secondFactorFor, retention, database, eventStore, allowedOrigins } = settings;
  const translate = useTranslate();
  const none = translate('verbatim.none');
  const word = (name: string) => translate(`verbatim.settings.${name}`);
  const roles = secondFactorFor.map((role) => translate(`verbatim.role.${role}`));
  return (
    <Group title={word('title')}>
      <Line name="version">{settings.version}</Line>
      <Line name="registration">{translate(`verbatim.settings.registration_${registration}`)}</Line>
      <Line name="single_sign_on">{singleSignOn ? `${singleSignOn.label} (${singleSignOn.issuer})` : none}</Line>
      <Line name="second_factor">{roles.join(', ') || none}</Line>
      <Line name="retention">
        {translate('verbatim.settings.retention_text', {
          hours: retention.idempotencyHours,
          days: retention.sessionDays,
          unused: retention.unusedSessionDays,
        })}
      </Line>
      <Line name="database">{translate(`verbatim.settings.database_${database}`)}</Line>
      <Line name="event_store">{eventStore === 'kurrentdb' ? 'KurrentDB' : 'PostgreSQL'}</Line>
      <Line name="origins">{allowedOrigins.join(', ') || none}</Line>
      <Line name="proxies">{word(settings.trustsProxies ? 'yes' : 'no')}</Line>
      <Line name="private_webhooks">{word(settings.privateWebhooks ? 'yes' : 'no')}</Line>
      <Line name="log_level">{settings.logLevel}</Line>
      <Line name="limits">{settings.limits ? <Limits limits={settings.limits} /> : word('limits_off')}</Line>
    </Group>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Card>
      <CardContent>
        <Typography variant="h2">{title}</Typography>
        <Table size="small">
          <TableBody>{children}</TableBody>
        </Table>
      </CardContent>
    </Card>
  );
}

function Line({ name, children }: { name: string; children: ReactNode }) {
  const translate = useTranslate();
  return (
    <TableRow>
      <TableCell component="th" scope="row" sx={{ verticalAlign: 'top' }}>
        {translate(`verbatim.settings.${name}`)}
      </TableCell>
      <TableCell sx={{ overflowWrap: 'anywhere' }}>{children}</TableCell>
    </TableRow>
  );
}

/** As operators write them: `100/10` is a hundred in ten seconds. */
function Limits({ limits }: { limits: NonNullable<Settings['limits']> }) {
  return (
    <Box component="ul" sx={{ m: 0, p: 0, listStyle: 'none', fontFamily: 'monospace' }}>
      {limits.map(({ name, count, seconds }) => (
        <li key={name}>
          {name}={seconds === null ? count : `${count}/${seconds}`}
        </li>
      ))}
    </Box>
  );
}
