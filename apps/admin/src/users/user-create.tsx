import { Card, CardContent } from '@mui/material';
import type { NewUser, User } from '@verbatim/protocol';
import { useState } from 'react';
import {
  CanAccess,
  Form,
  FormDataConsumer,
  maxLength,
  RadioButtonGroupInput,
  regex,
  required,
  SaveButton,
  SelectInput,
  TextInput,
  Title,
  useNavigate,
  useNotify,
} from 'react-admin';
import { useSearchParams } from 'react-router-dom';
import { Denied } from '../look/denied';
import { AskBeforeLeaving } from '../look/unsaved';
import { client } from '../service/client';
import { shown } from '../service/failure';
import { sensitive } from '../service/proof';
import { nameOf } from './name-of';
import { ResetLink } from './person/account-acts';
import { roleChoices, validEmail } from './user-fields';

interface Wish {
  readonly kind: 'person' | 'bot';
  readonly username: string;
  readonly displayName?: string | null;
  readonly email?: string | null;
  readonly role: User['role'];
}

const kinds = (['person', 'bot'] as const).map((id) => ({ id, name: `verbatim.kind.new_${id}` }));

/** Creates an account for a person, who chooses a password with the link shown, or for a program. */
export default function UserCreate() {
  return (
    <CanAccess resource="users" action="create" accessDenied={<Denied />}>
      <Title title="verbatim.users.create" />
      <NewAccount />
    </CanAccess>
  );
}

function NewAccount() {
  const navigate = useNavigate();
  const { made, save } = useMaking();
  const [query] = useSearchParams();
  const kind: Wish['kind'] = query.get('kind') === 'bot' ? 'bot' : 'person';
  return (
    <Card sx={{ maxWidth: 640, mt: 2 }}>
      <CardContent>
        <Form defaultValues={{ kind, role: 'user' }} onSubmit={(values: object) => save(values as Wish)}>
          <AskBeforeLeaving />
          <RadioButtonGroupInput source="kind" choices={kinds} row={false} validate={required()} />
          <TextInput
            source="username"
            validate={[required(), regex(/^[A-Za-z0-9_.-]{3,32}$/, 'verbatim.users.username_help')]}
            helperText="verbatim.users.username_help"
            autoComplete="off"
            fullWidth
          />
          <TextInput source="displayName" validate={maxLength(80)} helperText="verbatim.users.name_help" fullWidth />
          <FormDataConsumer<Wish>>
            {({ formData }) =>
              formData.kind === 'person' && (
                <>
                  <TextInput source="email" type="email" validate={validEmail} autoComplete="off" fullWidth />
                  <SelectInput
                    source="role"
                    choices={roleChoices}
                    validate={required()}
                    helperText="verbatim.users.role_help"
                  />
                </>
              )
            }
          </FormDataConsumer>
          <SaveButton alwaysEnable label="ra.action.create" />
        </Form>
      </CardContent>
      {made && (
        <ResetLink
          name={nameOf(made.user)}
          token={made.passwordReset.token}
          onEnd={() => navigate(`/users/${made.user.id}/show`)}
        />
      )}
    </Card>
  );
}

function useMaking() {
  const notify = useNotify();
  const navigate = useNavigate();
  const [made, setMade] = useState<NewUser | null>(null);
  const save = async ({ kind, username, displayName, email, role }: Wish) => {
    const names = { username, ...(displayName && { displayName }) };
    try {
      if (kind === 'bot') {
        const { id } = await shown(client.call('createBot', { body: names }));
        notify('verbatim.users.bot_made', { type: 'success', messageArgs: { name: username } });
        navigate(`/users/${id}/show/tokens`);
      } else {
        const body = { ...names, ...(email && { email }), role };
        setMade(await shown(sensitive(() => client.call('createUser', { body }))));
      }
    } catch (error) {
      const { message, body } = error as Error & { body?: { errors?: Record<string, string> } };
      if (body?.errors) return body.errors;
      notify(message, { type: 'error' });
    }
  };
  return { made, save };
}
