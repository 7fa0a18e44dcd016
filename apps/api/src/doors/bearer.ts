/** The token in an Authorization header, as in `Bearer <token>`; undefined if there is none. */
export const bearerIn = (header: string | undefined): string | undefined => /^Bearer +(\S+)$/i.exec(header ?? '')?.[1];
