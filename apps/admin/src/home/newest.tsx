import { Card, CardContent, List, ListItem, ListItemButton, ListItemText, Skeleton, Typography } from '@mui/material';
import type { Room, User } from '@verbatim/protocol';
import type { ReactNode } from 'react';
import { Link, useGetList, useTranslate } from 'react-admin';
import { Moment } from '../look/moment';
import { nameOfRoom } from '../rooms/name-of-room';
import { live } from '../service/queries';
import { nameOf } from '../users/name-of';

const few = { page: 1, perPage: 5 };

export function NewestRooms() {
  const sort = { field: 'activeAt', order: 'DESC' } as const;
  const { data } = useGetList<Room>('rooms', { pagination: few, sort }, live);
  return (
    <Few
      title="verbatim.home.newest_rooms"
      all="/rooms"
      allLabel="verbatim.home.all_rooms"
      empty="resources.rooms.empty"
    >
      {data?.map((room) => (
        <Line key={room.id} to={`/rooms/${room.id}/show`} at={room.activeAt ?? room.createdAt}>
          {nameOfRoom(room)}
        </Line>
      ))}
    </Few>
  );
}

export function NewestPeople() {
  const sort = { field: 'createdAt', order: 'DESC' } as const;
  const { data } = useGetList<User>('users', { pagination: few, sort }, live);
  return (
    <Few
      title="verbatim.home.newest_users"
      all="/users"
      allLabel="verbatim.home.all_users"
      empty="resources.users.empty"
    >
      {data?.map((user) => (
        <Line key={user.id} to={`/users/${user.id}/show`} at={user.createdAt}>
          {nameOf(user)}
        </Line>
      ))}
    </Few>
  );
}

interface FewProps {
  readonly title: string;
  readonly all: string;
  readonly allLabel: string;
  readonly empty: string;
  /** Undefined until they are known. */
  readonly children: ReactNode[] | undefined;
}

function Few({ title, all, allLabel, empty, children }: FewProps) {
  const translate = useTranslate();
  return (
    <Card>
      <CardContent>
        <Typography variant="h2">{translate(title)}</Typography>
        {children === undefined && <Skeleton variant="rounded" height={160} sx={{ my: 1 }} />}
        {children?.length === 0 && (
          <Typography color="textSecondary" sx={{ my: 2 }}>
            {translate(empty)}
          </Typography>
        )}
        {children && children.length > 0 && <List dense>{children}</List>}
        <Link to={all}>{translate(allLabel)}</Link>
      </CardContent>
    </Card>
  );
}

function Line({ to, at, children }: { to: string; at: string; children: ReactNode }) {
  return (
    <ListItem disablePadding>
      <ListItemButton component={Link} to={to} sx={{ gap: 2 }}>
        <ListItemText primary={<bdi>{children}</bdi>} sx={{ minWidth: 0, overflowWrap: 'anywhere' }} />
        <Moment at={at} variant="body2" color="textSecondary" />
      </ListItemButton>
    </ListItem>
  );
}
