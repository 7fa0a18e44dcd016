import { parseArgs } from 'node:util';
import { type CliCommand, UsageError } from '../command.js';

const DEFAULT_DAYS = 30;
const MAX_DAYS = 3_650;

/** `npm run cli -- audit rotate-keys` */
export const rotateKeysCommand: CliCommand = {
  summary: 'creates new keys for the transparency log',
  help: `Usage: npm run cli -- audit rotate-keys [--days <days>]

Makes a new key for checkpoints and a new one for certificates. From the next checkpoint on, old and new keys sign side by
side; after so many days only the new ones do. Until then, give the new keys to auditors and witnesses: they are printed,
and GET /audit/log/keys answers them. The service may go on running.

  --days <days>   for how long the old keys go on signing, 0 to ${MAX_DAYS}; default: ${DEFAULT_DAYS}. 0 if a key has leaked.`,

  async run(args, { tools }) {
    const days = daysOf(args);
    const { logKeys, trees } = await tools();
    const tree = await trees.newest();
    if (!tree) {
      process.stderr.write('There is no log yet: it begins when the service is started for the first time.\n');
      return 1;
    }
    const before = new Set((await logKeys.published()).map(({ text }) => text));
    await logKeys.rotate(tree.origin, days);
    for (const { text } of await logKeys.published()) if (!before.has(text)) process.stdout.write(`${text}\n`);
    return 0;
  },
};

function daysOf(args: readonly string[]): number {
  const days = parse(args) ?? `${DEFAULT_DAYS}`;
  if (!/^[0-9]{1,4}$/.test(days) || Number(days) > MAX_DAYS)
    throw new UsageError(`--days must be a whole number from 0 to ${MAX_DAYS}.`);
  return Number(days);
}

function parse(args: readonly string[]): string | undefined {
  try {
    return parseArgs({ args: [...args], options: { days: { type: 'string' } } }).values.days;
  } catch (error) {
    throw new UsageError(`${(error as Error).message} (see --help)`);
  }
}
