import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';

/** Passes Nest's warnings and errors to the process log. The caller reports startup errors. */
export class NestLog implements LoggerService {
  constructor(private readonly to: Logger) {}

  log(): void {}

  warn(message: unknown, ...parameters: unknown[]): void {
    this.to.warn({ nest: parameters.at(-1) }, String(message));
  }

  error(message: unknown, ...parameters: unknown[]): void {
    if (parameters.at(-1) === 'ExceptionHandler') return;
    this.to.error({ nest: parameters.at(-1), stack: parameters.at(0) }, String(message));
  }
}
