import DoneIcon from '@mui/icons-material/CheckCircle';
import OpenIcon from '@mui/icons-material/RadioButtonUnchecked';
import {
  Card,
  CardContent,
  List,
  ListItem,
  ListItemButton,
  ListItemIcon,
  ListItemText,
  Typography,
} from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import { Link, useCanAccess, useTranslate } from 'react-admin';
import { client } from '../service/client';
import { shown } from '../service/failure';
import type { Overview } from './overview';

/** First steps on an empty service; disappears once people post. */
export function FirstSteps({ overview }: { overview: Overview }) {
  const { canAccess } = useCanAccess({ resource: 'users', action: 'create' });
  const empty = overview.messages === 0 && (overview.accounts <= 1 || overview.openRooms === 0);
  return canAccess && empty ? <Steps overview={overview} /> : null;
}

function Steps({ overview: { accounts, openRooms } }: { overview: Overview }) {
  const translate = useTranslate();
  const { data: factor } = useQuery({
    queryKey: ['my second factor'],
    queryFn: () => shown(client.call('getTotp')),
  });
  const steps = [
    { name: 'secure', to: '/account/second-factor', done: factor?.enabled === true },
    { name: 'people', to: '/users/create', done: accounts > 1 },
    { name: 'room', to: '/rooms/create', done: openRooms > 0 },
    { name: 'settings', to: '/settings', done: false },
  ];
  return (
    <Card component="section" aria-labelledby="first-steps" sx={{ mb: 2 }}>
      <CardContent>
        <Typography id="first-steps" variant="h2">
          {translate('verbatim.home.first_steps')}
        </Typography>
        <List dense>
          {steps.map(({ name, to, done }) => (
            <ListItem key={name} disablePadding>
              <ListItemButton component={Link} to={to}>
                <ListItemIcon sx={{ minWidth: 36 }}>
                  {done ? (
                    <DoneIcon color="success" titleAccess={translate('verbatim.home.step_done')} />
                  ) : (
                    <OpenIcon titleAccess={translate('verbatim.home.step_open')} />
                  )}
                </ListItemIcon>
                <ListItemText
                  primary={translate(`verbatim.home.step_${name}`)}
                  secondary={translate(`verbatim.home.step_${name}_help`)}
                />
              </ListItemButton>
            </ListItem>
          ))}
        </List>
      </CardContent>
    </Card>
  );
}
