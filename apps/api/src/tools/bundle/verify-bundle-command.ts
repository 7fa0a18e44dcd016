import { createReadStream } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  type BundleReport,
  describeFinding,
  isFault,
  parseVerifierKey,
  type VerifierKey,
  verifyBundle,
} from '@verbatim/transparency';
import { type CliCommand, UsageError } from '../command.js';

/** `npm run cli -- verify` */
export const verifyBundleCommand: CliCommand = {
  summary: 'checks the bundle of an export, offline',
  help: `Usage: npm run cli -- verify <bundle.tar> --key <verifier key>... [--witness <verifier key>...]

Checks a bundle of an export with nothing but the bundle and public keys: that it is complete and signed, that each event in
it was in the log that the checkpoint covers, unchanged and at its place, and that the keys in it open the texts. Needs no
service, no database and no network. docs/bundle-format.md says what exactly is checked.

  <bundle.tar>              the bundle; - for standard input
  --key <verifier key>      a key that is trusted, as GET /audit/log/keys once answered it; at least those named <origin>, which
                            signs checkpoints, and <origin>/certificates, which signs bundles
  --witness <verifier key>  a witness that must have cosigned the checkpoint; may be given several times

Each finding is one line: its code, its place, and a sentence.

Exit codes: 0 all is well; 1 something is wrong, and where; 2 the command was called wrongly; 3 it could not be checked.`,

  async run(args) {
    const { bundle, keys, witnesses } = readOptions(args);
    try {
      const source = bundle === '-' ? process.stdin : createReadStream(bundle, { highWaterMark: 1_048_576 });
      return print(await verifyBundle(source, { keys, witnesses }));
    } catch (error) {
      // Nothing was checked, so this must not look like a finding.
      process.stderr.write(`could not be checked: ${(error as Error).message}\n`);
      return 3;
    }
  },
};

interface Options {
  readonly bundle: string;
  readonly keys: readonly VerifierKey[];
  readonly witnesses: readonly VerifierKey[];
}

function readOptions(args: readonly string[]): Options {
  const { positionals, values } = parse(args);
  const [bundle, ...more] = positionals;
  if (bundle === undefined || more.length > 0) throw new UsageError('Name one bundle (see --help).');
  const keys = (values.key ?? []).map((text) => keyIn('--key', text));
  const witnesses = (values.witness ?? []).map((text) => keyIn('--witness', text));
  if (keys.length === 0) throw new UsageError('Give the keys of the log with --key (see --help).');
  const wrong = witnesses.find(({ type }) => type !== 'cosignature');
  if (wrong) throw new UsageError(`--witness ${wrong.name} is not a witness key.`);
  return { bundle, keys, witnesses };
}

function keyIn(option: string, text: string): VerifierKey {
  const key = parseVerifierKey(text);
  if (isFault(key)) throw new UsageError(`${option} cannot be read. ${key.detail}`);
  return key;
}

function parse(args: readonly string[]) {
  const options = { key: { type: 'string', multiple: true }, witness: { type: 'string', multiple: true } } as const;
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${(error as Error).message} (see --help)`);
  }
}

function print(report: BundleReport): number {
  for (const finding of report.list) process.stdout.write(`${describeFinding(finding)}\n`);
  if (report.more > 0) process.stdout.write(`and ${report.more} more\n`);
  for (const sentence of report.unchecked) process.stderr.write(`${sentence}\n`);
  if (report.exitCode === 0)
    process.stdout.write(`The bundle is valid: ${report.events} events of ${report.streams} streams were proved.\n`);
  return report.exitCode;
}
