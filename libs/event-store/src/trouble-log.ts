/** Where an adapter tells of trouble that it goes on to overcome by itself. A pino logger is one. */
export interface TroubleLog {
  warn(details: object, message: string): void;
}

export const silent: TroubleLog = { warn: () => {} };
