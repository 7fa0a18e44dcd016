import { Global, Module } from '@nestjs/common';
import { CONFIG } from '../../composition/process-module.js';
import type { Config } from '../../config.js';
import { InvitedAccountOpener } from './invited-account-opener.js';
import { RegisterUserHandler } from './register-user.js';
import { Registration } from './registration.js';
import { FindTakenHandler } from './taken.js';

const providers = [
  RegisterUserHandler,
  FindTakenHandler,
  InvitedAccountOpener,
  {
    provide: Registration,
    useFactory: ({ REGISTRATION }: Config) => new Registration(REGISTRATION),
    inject: [CONFIG],
  },
];

/** Self-service registration. */
@Global()
@Module({ providers, exports: providers })
export class RegistrationModule {}
