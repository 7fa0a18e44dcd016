import { Controller } from '@nestjs/common';
import type { PublicKeys } from '@verbatim/protocol';
import { Call } from '../rest/call.js';
import { AccessTokens } from '../vault/access-tokens.js';

@Controller()
export class SessionController {
  constructor(private readonly tokens: AccessTokens) {}

  @Call('listPublicKeys')
  async listPublicKeys(): Promise<PublicKeys> {
    return { keys: await this.tokens.published() };
  }
}
