import { Button, Dialog, DialogActions, DialogContent, DialogTitle, List, ListItem, ListItemText } from '@mui/material';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { Invitation } from '@verbatim/protocol';
import { useState } from 'react';
import { Link, useTranslate } from 'react-admin';
import { Failure } from '../look/failure';
import { Moment } from '../look/moment';
import { client } from '../service/client';
import { shown } from '../service/failure';

/** People on one page. */
const PAGE = 50;

/** Whom an invitation has let in. */
export function Uses({ invitation }: { invitation: Invitation }) {
  const translate = useTranslate();
  const [open, setOpen] = useState(false);
  if (invitation.used === 0) return null;
  return (
    <>
      <Button size="small" onClick={() => setOpen(true)}>
        {translate('verbatim.invitations.who')}
      </Button>
      {open && <UsesDialog id={invitation.id} onEnd={() => setOpen(false)} />}
    </>
  );
}

function UsesDialog({ id, onEnd }: { id: string; onEnd(): void }) {
  const translate = useTranslate();
  const { data, error, hasNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: ['invitation uses', id],
    queryFn: ({ pageParam: cursor }) =>
      shown(client.call('listInvitationUses', { params: { id }, query: { limit: PAGE, cursor } })),
    initialPageParam: '',
    getNextPageParam: ({ page }) => page.next,
  });
  return (
    <Dialog open onClose={onEnd} fullWidth maxWidth="sm" aria-labelledby="uses-title">
      <DialogTitle id="uses-title">{translate('verbatim.invitations.who_title')}</DialogTitle>
      <DialogContent>
        <Failure error={error} />
        <List dense>
          {data?.pages
            .flatMap(({ items }) => items)
            .map(({ user, at }) => (
              <ListItem key={user.id} disableGutters>
                <ListItemText
                  primary={<Link to={`/users/${user.id}/show`}>{user.username}</Link>}
                  secondary={<Moment at={at} />}
                />
              </ListItem>
            ))}
        </List>
        {hasNextPage && <Button onClick={() => fetchNextPage()}>{translate('verbatim.more')}</Button>}
      </DialogContent>
      <DialogActions>
        <Button onClick={onEnd} autoFocus>
          {translate('verbatim.close')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
