/** Where an adapter logs trouble from which it recovers by itself. A pino logger is one. */
export interface TroubleLog {
  warn(details: object, message: string): void;
}

export const silent: TroubleLog = { warn: () => {} };
