import { type Client, type Credentials, VerbatimError } from '@verbatim/client';
import type { AuthProvider } from 'react-admin';
import type { EndOfSession } from './end-of-session';
import { codeOf, sentenceOf } from './failure';
import { missingSecondFactor } from './second-factor';

/** The data of the sign-in form. */
export interface SignIn extends Credentials {
  /** Of the person's authenticator, once the service has asked for it. */
  readonly code?: string;
}

/** The result of a single sign-on. */
export interface SignOn {
  readonly signOnCode: string;
}

/** Why signing in was refused, as the key of a sentence. */
export class NotLetIn extends Error {
  constructor(
    readonly reason: 'code_needed' | 'not_for_you' | 'wrong' | 'unreachable' | 'refused',
    detail?: string,
    /** Id for finding the refusal in the service's logs. */
    readonly traceId?: string,
  ) {
    super(detail ?? `verbatim.sign_in.${reason}`);
  }
}

/** What auditors may do with any resource, besides exports; everything else makes changes. */
const reading = ['list', 'show', 'read'];
const mayAsAuditor = (action: string, resource: string): boolean =>
  reading.includes(action) || (action === 'create' && resource === 'exports');

/** Who may in: administrators, and auditors, who see everything and change nothing. The API decides; this spares refusals. */
export function authProvider(client: Client, endOfSession: EndOfSession): AuthProvider {
  return {
    async login(shown: SignIn | SignOn) {
      const entering = 'signOnCode' in shown ? client.endSignOn(shown.signOnCode) : client.signIn(credentialsIn(shown));
      const user = await entering.catch((error) => {
        throw notLetIn(error);
      });
      if (user.role === 'user') {
        await endOfSession.signOut();
        throw new NotLetIn('not_for_you');
      }
      await missingSecondFactor.check(client);
    },
    async logout() {
      await endOfSession.signOut();
      missingSecondFactor.become(false);
    },
    async checkAuth() {
      if (!client.user) throw new Error('verbatim.sign_in.needed');
    },
    async checkError(error) {
      const code = codeOf(error);
      if (code === 'unauthenticated') throw new Error('verbatim.sign_in.ended');
      if (code === 'mfa_required') await missingSecondFactor.check(client);
    },
    async getIdentity() {
      const { user } = client;
      if (!user) throw new Error('verbatim.sign_in.needed');
      return { id: user.id, fullName: user.displayName ?? user.username };
    },
    async canAccess({ action, resource }) {
      return client.user?.role === 'admin' || (client.user?.role === 'auditor' && mayAsAuditor(action, resource));
    },
    async getPermissions() {
      return client.user?.role;
    },
  };
}

const credentialsIn = ({ username, password, code }: SignIn): Credentials => ({
  username,
  password,
  ...(code && { code }),
});

function notLetIn(error: unknown): NotLetIn {
  const code = codeOf(error);
  if (code === 'mfa_required') return new NotLetIn('code_needed');
  if (code === 'unauthenticated') return new NotLetIn('wrong');
  if (code === 'unavailable' || !(error instanceof VerbatimError)) return new NotLetIn('unreachable');
  return new NotLetIn('refused', sentenceOf(error));
}
