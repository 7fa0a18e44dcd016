import { codePoints, isRejection, limits, reject } from '@verbatim/domain';
import type { Identity } from '../../application/sessions/authentication.js';
import { CreateTokenCommand, type NewToken, RevokeTokenCommand } from '../../application/tokens/token-commands.js';
import { ListTokensQuery } from '../../application/tokens/token-queries.js';
import { withinReach } from '../../application/tokens/token-reach.js';
import type { NamedToken } from '../../storage/vault/personal-tokens.js';
import type { Context } from '../../write-side/mailbox.js';
import { accepted } from '../refusal.js';
import { type Answer, notAuthenticated, notValid, ok, refuse } from './answers.js';
import { date, isRefusedFor, oid, pageAnswer, pageOf, textsOf, type UserCall } from './call.js';
import type { Parts } from './parts.js';

/** Tokens of people must expire; this is the longest lifetime. */
const DAYS = 365;
/** The name of the token that everyone gets at sign-up. */
const FIRST_TOKEN = 'Sign-up';

/** API tokens: personal tokens with a value in makechat's format. */
export class Tokens {
  constructor(private readonly parts: Parts) {}

  /** The caller's tokens that have not expired, oldest first. Only the owner sees their values; a token shows no stronger ones. */
  async list(call: UserCall): Promise<Answer> {
    const { actor } = call;
    const page = pageOf(call.query);
    const [tokens, values] = await Promise.all([this.tokensOf(call), this.parts.tokenValues.of(actor.id)]);
    const now = this.parts.time.now().getTime();
    const reached = withinReach(tokens, call.identity.token);
    const listed = reached.filter(({ id, expiresAt }) => values.has(id) && (!expiresAt || expiresAt.getTime() > now));
    const { offset, limit } = page.stretch;
    const shown = listed.reverse().slice(offset, offset + limit);
    const user = await this.parts.objectIds.one('user', actor.id);
    const items = shown.map((token) => documentOf(token, values.get(token.id) ?? '', user));
    return pageAnswer(call, page, { items, total: listed.length });
  }

  async create(call: UserCall): Promise<Answer> {
    const { name } = textsOf(call.body, 'payload', ['name']);
    if (name === '') throw notValid('Token', 'name', 'Field is required');
    if (codePoints(name) > limits.tokenName) throw notValid('Token', 'name', 'String value is too long');
    const { token, value, position } = await this.make(call.identity, name, call.context);
    await this.parts.readYourWrites.written(position, call.reply);
    const user = await this.parts.objectIds.one('user', call.actor.id);
    return { status: 201, body: documentOf(token, value, user) };
  }

  /** The token of a person who has just signed up. If this fails, they can create one themselves. */
  async createFirst(identity: Identity, context: Context): Promise<void> {
    await this.make(identity, FIRST_TOKEN, context).catch((error: unknown) => {
      this.parts.problems.refusal(error, { door: 'makechat' });
    });
  }

  /** Revokes a token, which makechat could not do. A token cannot revoke a stronger one. Revoking twice succeeds. */
  async revoke(call: UserCall): Promise<Answer> {
    const { actor, id: value, context } = call;
    const values = await this.parts.tokenValues.of(actor.id);
    const tokenId = [...values].find(([, own]) => own === value)?.[0];
    if (tokenId === undefined) return ok;
    const tokens = await this.tokensOf(call);
    const beyond = tokens.filter((token) => !withinReach(tokens, call.identity.token).includes(token));
    if (beyond.some(({ id }) => id === tokenId)) refuse(beyondReach);
    const revoked = await this.parts.commands.execute(new RevokeTokenCommand(actor.id, tokenId, actor, context));
    if (isRejection(revoked) && revoked.rejected === 'NotFound') return ok;
    await this.parts.readYourWrites.written(accepted(revoked).position, call.reply);
    return ok;
  }

  private async tokensOf({ actor }: UserCall): Promise<NamedToken[]> {
    return accepted(await this.parts.queries.execute(new ListTokensQuery(actor.id)));
  }

  private async make(identity: Identity, name: string, context: Context): Promise<NewToken & { value: string }> {
    const userId = identity.actor.id;
    const scopes = identity.token ? [...identity.token.scopes] : (['read', 'post', 'manage'] as const);
    const wanted = { name: name.normalize('NFC'), scopes, expiresInDays: DAYS };
    const made = await this.parts.commands.execute(new CreateTokenCommand(userId, identity, wanted, context));
    if (isRefusedFor(made, 'SecondFactorNeeded')) throw notAuthenticated('Please login again to create a token.');
    const token = accepted(made);
    return { ...token, value: await this.parts.tokenValues.issue(token.token.id, userId) };
  }
}

const beyondReach = reject('NotAllowed', 'A token can only revoke tokens that allow no more than it does.');

const documentOf = ({ name, createdAt }: NamedToken, value: string, user: string): object => ({
  _id: value,
  user: oid(user),
  name,
  created: date(createdAt),
});
