import { Global, Module } from '@nestjs/common';
import { Sweep } from '../../composition/contributions.js';
import { KeyPairs } from '../../storage/vault/key-pairs.js';
import { AuthenticateSignatureHandler, IssueKeyPairHandler } from './signed-requests.js';

const providers = [
  IssueKeyPairHandler,
  AuthenticateSignatureHandler,
  {
    provide: Symbol('sweep of nonces'),
    useFactory: (keyPairs: KeyPairs) => new Sweep('nonces', () => keyPairs.sweep()),
    inject: [KeyPairs],
  },
];

/** Clients that sign their requests with a key pair. */
@Global()
@Module({ providers, exports: providers })
export class SignedRequestsModule {}
