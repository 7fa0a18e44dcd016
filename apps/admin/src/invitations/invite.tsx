import InviteIcon from '@mui/icons-material/Add';
import { Button, MenuItem, TextField } from '@mui/material';
import type { Room } from '@verbatim/protocol';
import { useState } from 'react';
import { useCanAccess, useTranslate } from 'react-admin';
import { AskDialog } from '../look/ask-dialog';
import { SecretDialog } from '../look/secret-dialog';
import { useAction } from '../look/use-action';
import { client } from '../service/client';

/** Makes an invitation, to the room or, where none is given, to the server; its code is shown once. */
export function Invite({ room }: { room?: Room }) {
  const translate = useTranslate();
  const [asking, setAsking] = useState(false);
  const [code, setCode] = useState<string | null>(null);
  const { canAccess } = useCanAccess({ resource: 'invitations', action: 'create' });
  if (!canAccess) return null;
  const made = (secret: string) => {
    setAsking(false);
    setCode(secret);
  };
  return (
    <>
      <Button startIcon={<InviteIcon />} onClick={() => setAsking(true)}>
        {translate('verbatim.invitations.invite')}
      </Button>
      {asking && <InviteDialog room={room} onMade={made} onEnd={() => setAsking(false)} />}
      {code !== null && (
        <SecretDialog
          title={translate('verbatim.invitations.made')}
          text={translate(room ? 'verbatim.invitations.code_for_room' : 'verbatim.invitations.code_for_server')}
          label={translate('verbatim.invitations.code')}
          secret={code}
          onEnd={() => setCode(null)}
        />
      )}
    </>
  );
}

/** Seconds. */
const spans = { hour: 3_600, day: 86_400, week: 604_800, month: 2_592_000, year: 31_536_000 } as const;
const roles = ['member', 'guest'] as const;

/** How many people, as it was typed; nothing typed is any number. Undefined: that is none. */
function numberOf(typed: string): number | null | undefined {
  if (typed.trim() === '') return null;
  const uses = Number(typed);
  return Number.isInteger(uses) && uses >= 1 && uses <= 10_000 ? uses : undefined;
}

function InviteDialog({ room, onMade, onEnd }: { room?: Room; onMade(code: string): void; onEnd(): void }) {
  const translate = useTranslate();
  const [typed, setTyped] = useState('1');
  const [span, setSpan] = useState<keyof typeof spans>('week');
  const [role, setRole] = useState<(typeof roles)[number]>('member');
  const uses = numberOf(typed);
  const { act, busy, error } = useAction(
    (options) => {
      const body = { uses, expiresInSeconds: spans[span] };
      return room
        ? client.call('createRoomInvitation', { params: { id: room.id }, body: { ...body, role } }, options)
        : client.call('createInvitation', { body }, options);
    },
    ({ code }) => onMade(code),
  );
  return (
    <AskDialog
      title={translate('verbatim.invitations.invite')}
      text={translate('verbatim.invitations.invite_text')}
      action={translate('verbatim.invitations.make')}
      ready={uses !== undefined}
      busy={busy}
      error={error}
      onSubmit={() => act()}
      onEnd={onEnd}
    >
      <TextField
        label={translate('verbatim.invitations.uses')}
        helperText={translate('verbatim.invitations.uses_help')}
        value={typed}
        error={uses === undefined}
        onChange={({ target }) => setTyped(target.value)}
        slotProps={{ htmlInput: { inputMode: 'numeric', maxLength: 5 } }}
        margin="normal"
        fullWidth
        autoFocus
      />
      <TextField
        select
        label={translate('verbatim.invitations.good_for')}
        value={span}
        onChange={({ target }) => setSpan(target.value as keyof typeof spans)}
        margin="normal"
        fullWidth
      >
        {Object.keys(spans).map((one) => (
          <MenuItem key={one} value={one}>
            {translate(`verbatim.until.${one}`)}
          </MenuItem>
        ))}
      </TextField>
      {room && (
        <TextField
          select
          label={translate('resources.members.fields.role')}
          value={role}
          onChange={({ target }) => setRole(target.value as (typeof roles)[number])}
          margin="normal"
          fullWidth
        >
          {roles.map((one) => (
            <MenuItem key={one} value={one}>
              {translate(`verbatim.room_role.${one}`)}
            </MenuItem>
          ))}
        </TextField>
      )}
    </AskDialog>
  );
}
