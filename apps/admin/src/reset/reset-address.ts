/** The page on which the holder of this token chooses a password. The part after the # is never sent to a server. */
export const resetAddress = (token: string): string =>
  `${location.origin}${location.pathname}#/reset?token=${encodeURIComponent(token)}`;
