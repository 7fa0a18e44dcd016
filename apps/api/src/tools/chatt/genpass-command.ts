import { deriveCredentials } from '../../application/guests/browser/passphrase.js';
import { type CliCommand, UsageError } from '../command.js';

/** `npm run cli -- chatt genpass` */
export const genpassCommand: CliCommand = {
  summary: 'prints what MQTT clients of chaTT send for a passphrase',
  help: `Usage: npm run cli -- chatt genpass "<passphrase>"

Prints the user and the password that chaTT derives from a passphrase, for bots and other MQTT clients of a service that
is started with this CHATT_PASSPHRASE. They are those of chaTT's own genpass.js.`,

  async run(args) {
    const [passphrase] = args;
    if (args.length !== 1 || passphrase === undefined) throw new UsageError('Syntax: genpass.js "passphrase"');
    const derived = deriveCredentials(passphrase);
    if (!derived) throw new UsageError('This passphrase is too long.');
    process.stdout.write(`Login & pass:\n${derived.login}\n${derived.password}\n`);
    return 0;
  },
};
