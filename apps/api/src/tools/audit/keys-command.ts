import { type CliCommand, UsageError } from '../command.js';

/** `npm run cli -- audit keys` */
export const keysCommand: CliCommand = {
  summary: 'prints the public verifier keys of the transparency log',
  help: `Usage: npm run cli -- audit keys

Prints the verifier keys of the transparency log, one a line, as GET /audit/log/keys answers them: those that sign
checkpoints, whose name is the origin of the log, and those that sign certificates and manifests, whose name ends with
/certificates. Old keys stay in the list, because what they signed is checked with them.

Give these keys to auditors and witnesses by a way that does not lead through this server.`,

  async run(args, { tools }) {
    if (args.length > 0) throw new UsageError('audit keys takes no arguments.');
    const { logKeys, trees } = await tools();
    const tree = await trees.newest();
    if (tree) await logKeys.ensure(tree.origin);
    for (const { text } of await logKeys.published()) process.stdout.write(`${text}\n`);
    if (tree) return 0;
    process.stderr.write('There is no log yet: it begins when the service is started for the first time.\n');
    return 1;
  },
};
