import type { AnswerOf } from '@verbatim/protocol';
import type { useTranslate } from 'react-admin';

export type AccountEvent = AnswerOf<'listUserEvents'>['items'][number];

type Translate = ReturnType<typeof useTranslate>;

/** What happened to an account, as a sentence. `moment` writes a time. */
export function sentenceOf(event: AccountEvent, translate: Translate, moment: (at: string) => string): string {
  const sentence = translate(`verbatim.account_event.${event.type}`, valuesOf(event, translate, moment));
  const reason = event.type === 'UserSuspended' ? event.data.reason : null;
  return reason ? `${sentence} ${translate('verbatim.rooms.reason')}: ${reason}` : sentence;
}

function valuesOf(event: AccountEvent, translate: Translate, moment: (at: string) => string): Record<string, string> {
  const word = (kind: string, value: string | undefined) => translate(`verbatim.${kind}.${value ?? 'unknown'}`);
  switch (event.type) {
    case 'UserRegistered':
      return { origin: word('origin', event.data.origin), role: word('role', event.data.role) };
    case 'UserChanged':
      return { name: event.data.displayName ?? '–' };
    case 'UserEmailChanged':
      return { how: word('email_change', event.data.how) };
    case 'UserRoleChanged':
      return { role: word('role', event.data.role) };
    case 'SessionStarted':
      return { how: word('how', event.data.how) };
    case 'SessionRevoked':
      return { cause: word('cause', event.data.cause) };
    case 'PasswordChanged':
      return { how: word('password_change', event.data.how) };
    case 'TokenCreated': {
      const { name, scopes, expiresAt } = event.data;
      return {
        name: name ?? '–',
        scopes: scopes.map((scope) => word('scope', scope)).join(', '),
        end: expiresAt === null ? translate('verbatim.token.never') : moment(expiresAt),
      };
    }
    default:
      return {};
  }
}
