import { createHash, randomBytes } from 'node:crypto';
import type { Page, PageRequest } from '@verbatim/projections';
import { InvalidCursor } from '@verbatim/projections';
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

  /** Ids of the invitations to a room, or to the server (null), latest first: ids are UUIDv7. */
  async list(roomId: string | null, { limit, cursor }: PageRequest): Promise<Page<string>> {
    const list = roomId === null ? 'invitations' : 'room-invitations';
    const before = cursor === undefined ? null : idIn(cursor, list);
    const rows = await this.vault.sql<{ id: string }[]>`
      select id from vault.invitations
      where room_id is not distinct from ${roomId} and (${before}::uuid is null or id < ${before}::uuid)
      order by id desc limit ${limit + 1}`;
    const items = rows.slice(0, limit).map(({ id }) => id);
    const cursorAfter = (index: number) => Buffer.from(`${list}:${items[index]}`).toString('base64url');
    return { items, next: rows.length > limit ? cursorAfter(items.length - 1) : null, cursorAfter };
  }
}

/** Each letter stands for five bits. */
function newCode(): string {
  let bits = BigInt(`0x${randomBytes(BYTES).toString('hex')}`);
  let code = '';
  for (let letter = 0; letter < (BYTES * 8) / 5; letter++, bits >>= 5n) code += alphabet[Number(bits & 31n)];
  return code;
}

const digest = (code: string): string => createHash('sha256').update(code).digest('hex');

function idIn(cursor: string, list: string): string {
  const [named, id = '', ...more] = Buffer.from(cursor, 'base64url').toString().split(':');
  const good = named === list && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) && more.length === 0;
  if (!good) throw new InvalidCursor();
  return id;
}
