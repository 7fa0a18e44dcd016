import { createHash, randomBytes } from 'node:crypto';
import { cursorKey, isId, type Page, type PageRequest, toPage } from '@verbatim/projections';
import { VaultSql } from '../vault/vault-sql.js';

/** Digits and small letters without i, l, o and u, which are easily confused (Crockford's base 32). */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
/** Bytes of randomness in a code: 160 bits. */
const BYTES = 20;

/** Codes of invitations, stored as hashes. With so many random bits a fast hash is enough: they cannot be guessed. */
export class InvitationCodes {
  constructor(private readonly vault: VaultSql) {}

  /** Creates the code of an invitation to a room, or to the server (null). */
  async create(invitationId: string, roomId: string | null): Promise<string> {
    const code = newCode();
    await this.vault.sql`
      insert into vault.invitations (id, code_hash, room_id) values (${invitationId}, ${digest(code)}, ${roomId})`;
    return code;
  }

  /** The invitation with this code, or null. */
  async find(code: string): Promise<string | null> {
    const [row] = await this.vault.sql<{ id: string }[]>`
      select id from vault.invitations where code_hash = ${digest(code)}`;
    return row?.id ?? null;
  }

  /** Ids of the invitations to a room, or to the server, latest first: ids are UUIDv7. */
  async list(roomId: string | null, page: PageRequest): Promise<Page<string>> {
    const list = roomId === null ? 'invitations' : 'room-invitations';
    const [before = null] = cursorKey(page, list, isId) ?? [];
    const rows = await this.vault.sql<{ id: string }[]>`
      select id from vault.invitations
      where room_id is not distinct from ${roomId} and (${before}::uuid is null or id < ${before}::uuid)
      order by id desc limit ${page.limit + 1}`;
    return toPage(
      rows,
      page,
      list,
      ({ id }) => id,
      ({ id }) => [id],
    );
  }
}

/** Each letter encodes five bits. */
function newCode(): string {
  let bits = BigInt(`0x${randomBytes(BYTES).toString('hex')}`);
  let code = '';
  for (let letter = 0; letter < (BYTES * 8) / 5; letter++, bits >>= 5n) code += alphabet[Number(bits & 31n)];
  return code;
}

const digest = (code: string): string => createHash('sha256').update(code).digest('hex');
