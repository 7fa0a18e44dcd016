import type { Room } from '@verbatim/protocol';
import { useNotify, useTranslate } from 'react-admin';
import { AskDialog } from '../../look/ask-dialog';
import { type Cancellable, useAction } from '../../look/use-action';
import { client } from '../../service/client';
import { why } from '../reasons';
import type { PersonToRestrain } from './ban-dialog';

/** Makes a member owner in the place of those who are. */
export function HandOverDialog({ room, to, onEnd }: { room: Room; to: PersonToRestrain; onEnd(): void }) {
  const translate = useTranslate();
  const notify = useNotify();
  const { name } = to;
  const { act, busy, error } = useAction(
    (options) => handOver(room.id, to.id, options),
    () => {
      notify('verbatim.rooms.role_changed', {
        messageArgs: { name, role: translate('verbatim.room_role.owner') },
      });
      onEnd();
    },
  );
  return (
    <AskDialog
      title={translate('verbatim.restraints.hand_over_title', { name })}
      text={translate('verbatim.restraints.hand_over_text')}
      action={translate('verbatim.restraints.hand_over')}
      color="warning"
      busy={busy}
      error={error}
      onSubmit={() => act()}
      onEnd={onEnd}
    />
  );
}

/**
 * A sole owner hands over in one step. Administrators, who count as owners without being one, give and take the roles: the
 * new owner comes first, so that the room always has one.
 */
async function handOver(room: string, to: string, options: Cancellable): Promise<void> {
  const before = (await ownersOf(room)).filter((owner) => owner !== to);
  if (before.length === 1 && before[0] === client.user?.id) {
    await client.call('transferOwnership', { params: { id: room }, body: { userId: to } }, options);
    return;
  }
  const give = (userId: string, role: 'owner' | 'moderator') =>
    client.call('changeMember', { params: { id: room, userId }, body: { role } }, options);
  await give(to, 'owner');
  for (const owner of before) await give(owner, 'moderator');
}

async function ownersOf(room: string, cursor?: string): Promise<string[]> {
  const query = { limit: 200, cursor };
  const { items, page } = await client.call('listMembers', { params: { id: room }, query }, { ...why(room) });
  const owners = items.filter(({ role }) => role === 'owner').map(({ userId }) => userId);
  return page.next === null ? owners : [...owners, ...(await ownersOf(room, page.next))];
}
