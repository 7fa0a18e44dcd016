/** The page on which the holder of this token chooses a password. What is behind the # is sent to no server. */
export const resetAddress = (token: string): string =>
  `${location.origin}${location.pathname}#/reset?token=${encodeURIComponent(token)}`;
