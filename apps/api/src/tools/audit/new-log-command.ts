import { parseArgs } from 'node:util';
import { AUDIT_LOG, isRejection, type LastCheckpoint, type Rejection } from '@verbatim/domain';
import type { Checkpoint } from '@verbatim/transparency';
import type { Config } from '../../config.js';
import { newId } from '../../new-id.js';
import { numberOfTree, originOfTree } from '../../storage/transparency/audit-log-settings.js';
import type { LogTree } from '../../storage/transparency/log-trees.js';
import { WitnessFile } from '../../storage/transparency/witness-file.js';
import { type CliCommand, UsageError } from '../command.js';
import type { Tools } from '../tools.js';

/** `npm run cli -- audit new-log` */
export const newLogCommand: CliCommand = {
  summary: 'begins a new tree of the transparency log, after data was lost',
  help: `Usage: npm run cli -- audit new-log --reason <text>

When the database was restored and lost events that were signed, the service signs nothing more and is not ready: to go on
from there would be a second history under the same name. This command begins a new tree. It covers all events there are,
from the first one; its origin has a number appended, and it has keys of its own. An event, AuditLogBegun, names the last checkpoint
of the old tree and the reason, and is part of the new tree. The service goes on signing within a few seconds.

It is needed as well after AUDIT_LOG_ORIGIN was changed. Auditors and witnesses have to be told the new origin and keys,
which are printed, and why.

  --reason <text>   what happened; everybody who reads the log sees it

Exit codes: 0 when the tree has begun; 1 when not; 2 when the command was called wrongly.`,

  async run(args, { config, tools }) {
    const reason = reasonOf(args);
    const begun = await beginTree(await tools(), config, reason);
    if (isRejection(begun)) {
      process.stderr.write(`${begun.detail}\n`);
      return 1;
    }
    process.stdout.write(`The tree ${begun.origin} has begun. Its keys:\n${begun.keys.join('\n')}\n`);
    return 0;
  },
};

async function beginTree(
  tools: Tools,
  config: Config,
  reason: string,
): Promise<{ origin: string; keys: string[] } | Rejection> {
  const { trees, logKeys, auditLogs } = tools;
  const [first] = await trees.all();
  const newest = await trees.newest();
  if (!first || !newest)
    return { rejected: 'Conflict', detail: 'There is no log yet: it begins when the service starts.' };
  const { state } = await auditLogs.newest(AUDIT_LOG);
  const base = config.AUDIT_LOG_ORIGIN ?? first.origin;
  const kept = await keptOutside(config);
  // If only the event was recorded, complete what was begun.
  const number =
    state.tree > newest.number
      ? state.tree
      : Math.max(newest.number, kept ? (numberOfTree(base, kept.origin) ?? 0) : 0) + 1;
  const origin = originOfTree(base, number);
  const previous = await lastOf(tools, newest, kept);
  const command = { type: 'BeginAuditLog', actor: null, tree: number, origin, previous, reason } as const;
  const begun = await auditLogs.send(AUDIT_LOG, command, { correlation: newId() });
  if (isRejection(begun)) return begun;
  await logKeys.ensure(origin);
  await trees.begin(number, origin);
  const keys = (await logKeys.published()).map(({ text }) => text).filter((text) => text.startsWith(origin));
  return { origin, keys };
}

const keptOutside = async ({ AUDIT_WITNESS_FILE: path }: Config): Promise<Checkpoint | null> =>
  path === undefined ? null : ((await new WitnessFile(path).newest())?.checkpoint ?? null);

/** The last known checkpoint of a tree. */
async function lastOf({ trees }: Tools, tree: LogTree, kept: Checkpoint | null): Promise<LastCheckpoint | null> {
  const stored = await trees.newestCheckpoint(tree.number);
  const { origin } = tree;
  if (kept?.origin === origin && kept.size > (stored?.size ?? 0))
    return { origin, size: kept.size, root: kept.root.toString('base64') };
  return stored && { origin, size: stored.size, root: stored.root.toString('base64') };
}

function reasonOf(args: readonly string[]): string {
  const reason = parse(args)?.trim();
  if (!reason) throw new UsageError('Give the reason for a new tree with --reason (see --help).');
  return reason;
}

function parse(args: readonly string[]): string | undefined {
  try {
    return parseArgs({ args: [...args], options: { reason: { type: 'string' } } }).values.reason;
  } catch (error) {
    throw new UsageError(`${(error as Error).message} (see --help)`);
  }
}
